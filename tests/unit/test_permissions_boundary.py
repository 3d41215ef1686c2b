"""The permissions boundary: what is one, and that no role is without it."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from eks_analytics import DashEnterprise, E6data
from eks_analytics.permissions_boundary import boundary_problems
from eks_child import answer_for_pulumi_eks
from recording import Recorder
from settings import Settings, SettingsError, load
from settings.arguments import dash_enterprise_arguments, e6data_arguments

PROJECT = Path(__file__).resolve().parents[2]
NO_FILES = Path(os.devnull)
"""Nothing lies below it: a preview goes on without license and certificate."""
STACKS = sorted(path.name.split(".")[1] for path in PROJECT.glob("Pulumi.*.yaml"))
ACCOUNT = "123456789012"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/deployment/boundary"
WATCH = {"subscriptions": [{"protocol": "email", "endpoint": "backups@example.com"}]}


def settings_of(stack: str, **changes: Any) -> Settings:
    config: dict[str, Any] = yaml.safe_load((PROJECT / f"Pulumi.{stack}.yaml").read_text())["config"]
    prefix = "eks-analytics:"
    own = {key.removeprefix(prefix): value for key, value in config.items() if key.startswith(prefix)}
    own["network"]["flow_logs_retention_days"] = 30
    if own["product"] == "dash-enterprise":  # with all that makes roles
        copied = {"encryption": "s3", "replication": {"region": "eu-west-1"}}
        own["velero"] = {"watch": WATCH, **own.get("velero", {}), "bucket": copied}
        own["dash_enterprise"].setdefault("bootstrap", {})["enabled"] = True
    changed = {**own, "account_id": ACCOUNT, **changes}
    return load(changed, NO_FILES, dry_run=True, stack=stack, provider_region=config["aws:region"])


@pytest.fixture
def roles(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """The boundary of every role that a shipped stack makes, by the role's logical name; None where there is none."""
    answer_for_pulumi_eks(recorder, monkeypatch)
    recorder.answers |= {
        "aws:index/getCallerIdentity:getCallerIdentity": lambda _: {
            "accountId": ACCOUNT,
            "arn": f"arn:aws:iam::{ACCOUNT}:role/deployer",
        },
        "aws:index/getRegion:getRegion": lambda _: {"region": "us-east-1"},
    }

    def run(stack: str, **changes: Any) -> dict[str, Any]:
        found = settings_of(stack, **changes)
        if found.product == "e6data":
            recorder.run(lambda: E6data(found.cluster_name, e6data_arguments(found)))
        else:
            recorder.run(lambda: DashEnterprise(found.cluster_name, dash_enterprise_arguments(found)))
        return {name: role.inputs.get("permissionsBoundary") for name, role in recorder.of("Role").items()}

    return run


@pytest.mark.parametrize("stack", STACKS)
def test_every_role_of_every_shipped_stack_has_the_boundary(roles: Callable[..., dict[str, Any]], stack: str) -> None:
    found = roles(stack, permissions_boundary_arn=BOUNDARY)
    made = {
        *("vpc-cni", "aws-ebs-csi-driver", "node", "flow-logs", "eksRole-role"),
        *(
            ("karpenter", "karpenter-node", "load-balancers")
            if stack == "e6data"
            else ("host", "velero", "velero-watch", "velero-replication")
        ),
    }
    cluster = settings_of(stack).cluster_name
    assert {name.removeprefix(f"{cluster}-") for name in found} == made
    assert set(found.values()) == {BOUNDARY}


def test_without_the_setting_no_role_has_one(roles: Callable[..., dict[str, Any]]) -> None:
    assert set(roles("dev").values()) == {None}


@pytest.mark.parametrize("arn", ["", BOUNDARY, "arn:aws:iam::aws:policy/PowerUserAccess"])
def test_a_managed_policy_of_the_account_or_of_aws_is_a_boundary(arn: str) -> None:
    assert not list(boundary_problems(arn, "us-east-1", ACCOUNT))


@pytest.mark.parametrize(
    ("arn", "words"),
    [
        ("boundary", ["not the ARN of a managed IAM policy", "arn:aws:iam::123456789012:policy/"]),
        (f"arn:aws:iam::{ACCOUNT}:role/boundary", ["not the ARN of a managed IAM policy"]),
        (f"arn:aws:iam::{ACCOUNT}:policy/", ["not the ARN of a managed IAM policy"]),
        (f"arn:aws-cn:iam::{ACCOUNT}:policy/boundary", ["partition aws-cn", 'begins with "arn:aws:"']),
        ("arn:aws:iam::210987654321:policy/boundary", ["another account", ACCOUNT]),
    ],
)
def test_another_policy_is_refused_by_component_and_settings(arn: str, words: list[str]) -> None:
    (problem,) = boundary_problems(arn, "us-east-1", ACCOUNT)
    assert all(word in str(problem) for word in words), str(problem)
    with pytest.raises(SettingsError) as refused:
        settings_of("dev", permissions_boundary_arn=arn)
    assert str(refused.value).count("permissions_boundary_arn = ") == 1
    assert json.dumps(arn) in str(refused.value)


@pytest.mark.parametrize("part", ["network", "cluster"])
@pytest.mark.parametrize("stack", ["dev", "e6data"])
def test_network_and_cluster_of_a_product_must_have_the_same_one(recorder: Recorder, part: str, stack: str) -> None:
    found = settings_of(stack)
    arguments: Any = e6data_arguments(found) if stack == "e6data" else dash_enterprise_arguments(found)
    arguments[part] |= {"permissions_boundary_arn": BOUNDARY}
    product: Any = E6data if stack == "e6data" else DashEnterprise
    with pytest.raises(ValueError, match=r"cluster.permissions_boundary_arn = .*differs from network"):
        recorder.run(lambda: product("x", arguments))
