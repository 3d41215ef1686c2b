"""Composition: a stack's settings → the component of its product → outputs."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
for folder in (ROOT, ROOT / "components"):  # the components are a distribution of their own, used here in place
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

import pulumi  # noqa: E402 - the paths come first

import settings  # noqa: E402
from eks_analytics import Cluster, DashEnterprise, E6data, Network  # noqa: E402
from eks_analytics.fixed_values import another_environment  # noqa: E402
from eks_analytics.locks import behind, lock  # noqa: E402
from settings.arguments import dash_enterprise_arguments, e6data_arguments  # noqa: E402

stack = settings.from_pulumi(ROOT)
# All logical names begin with the cluster's name: with another one, nothing that is there would be the same resource.
fixed = {"cluster_name": stack.cluster_name, "product": stack.product, "region": stack.region}
unchanged = behind(lock("environment", fixed, another_environment, confirmed=stack.confirm_replacement))
if stack.product == "e6data":
    product = E6data(stack.cluster_name, e6data_arguments(stack), unchanged)
else:
    product = DashEnterprise(stack.cluster_name, dash_enterprise_arguments(stack), unchanged)

for kind, component in ((Network, product.network), (Cluster, product.cluster), (type(product), product)):
    for output in kind.__annotations__ if component else ():
        pulumi.export(output, getattr(component, output))
