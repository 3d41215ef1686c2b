"""Composition: a stack's settings → the component of its product → outputs."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
for folder in (ROOT, ROOT / "components"):  # the components are a distribution of their own, used here in place
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

import pulumi  # noqa: E402 - the paths come first

import settings  # noqa: E402
from eks_analytics import DashEnterprise  # noqa: E402
from settings.arguments import dash_enterprise_arguments  # noqa: E402

stack = settings.from_pulumi(ROOT)
product = DashEnterprise(stack.cluster_name, dash_enterprise_arguments(stack))

for component in (product.network, product.cluster, product):
    for output in type(component).__annotations__:
        pulumi.export(output, getattr(component, output))
