"""Values that are fixed once they are applied: what is refused, what is let through, and who waits for the verdict."""

from functools import partial
from typing import Any

import pulumi
import pytest

from eks_analytics import fixed_values
from eks_analytics.locks import Judge, behind, lock, refuse
from recording import Recorder

KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
another_cluster = partial(fixed_values.another_cluster, confirmed=False)
confirmed_cluster = partial(fixed_values.another_cluster, confirmed=True)


def update(old: dict[str, Any] | None, new: dict[str, Any]) -> pulumi.ResourceHookArgs:
    inputs = None if old is None else {"input": old}
    return pulumi.ResourceHookArgs("urn", "id", "name", "type", old_inputs=inputs, new_inputs={"input": new})


def refusal(judge: Judge, old: dict[str, Any], new: dict[str, Any]) -> str:
    with pytest.raises(ValueError, match=" = ") as refused:
        refuse(lambda inputs: inputs["input"], judge)(update(old, new))
    return str(refused.value)


@pytest.mark.parametrize(
    ("judge", "old", "new", "words"),
    [
        (
            fixed_values.another_environment,
            {"cluster_name": "dash-dev"},
            {"cluster_name": "dash"},
            ["cluster_name = 'dash'", "applied with 'dash-dev'", "confirm_replacement: true"],
        ),
        (fixed_values.another_environment, {"region": "us-east-1"}, {"region": "us-west-2"}, ["region = 'us-west-2'"]),
        (fixed_values.another_environment, {"product": "e6data"}, {"product": "dash-enterprise"}, ["product ="]),
        (
            fixed_values.another_vpc,
            {"tenancy": "default"},
            {"tenancy": "dedicated"},
            ["tenancy = 'dedicated'", "'default' was applied", "confirm_replacement: true"],
        ),
        (fixed_values.another_vpc, {"cidr": "10.0.0.0/16"}, {"cidr": "10.1.0.0/16"}, ["cidr = '10.1.0.0/16'"]),
        (fixed_values.another_vpc, {"existing_vpc_id": ""}, {"existing_vpc_id": "vpc-1"}, ["created a VPC of its own"]),
        (
            another_cluster,
            {"kms_key_arn": ""},
            {"kms_key_arn": KEY},
            [f"kms_key_arn = '{KEY}'", "under a key that was made for it", "leave cluster.kms_key_arn out again"],
        ),
        (another_cluster, {"kms_key_arn": KEY}, {"kms_key_arn": ""}, ["kms_key_arn = ''", f"write '{KEY}' again"]),
        (another_cluster, {"kms_key_arn": KEY}, {"kms_key_arn": KEY + "0"}, [f"write '{KEY}' again"]),
        (confirmed_cluster, {"kms_key_arn": ""}, {"kms_key_arn": KEY}, ["EKS takes no other key"]),
        (another_cluster, {"service_cidr": "172.20.0.0/16"}, {"service_cidr": "172.21.0.0/16"}, ["service_cidr ="]),
        (another_cluster, {"ip_family": "ipv4"}, {"ip_family": "ipv6"}, ["ip_family = 'ipv6'", "made with 'ipv4'"]),
        (fixed_values.another_alarm_key, {"alarm_key_arn": ""}, {"alarm_key_arn": KEY}, ["watch.enabled: false"]),
        (
            another_cluster,
            {"session_logs.kms_key_arn": ""},
            {"session_logs.kms_key_arn": KEY},
            ["the log of sessions", "session_logs.retention_days: 0"],
        ),
    ],
)  # fmt: skip
def test_a_change_that_loses_something_is_refused_with_both_values_and_what_to_do(
    judge: Judge, old: dict[str, Any], new: dict[str, Any], words: list[str]
) -> None:
    said = refusal(judge, old, new)
    assert all(one in said for one in words), said


@pytest.mark.parametrize(
    ("judge", "old", "new"),
    [
        (another_cluster, {"kms_key_arn": KEY}, {"kms_key_arn": KEY}),
        (confirmed_cluster, {"service_cidr": "172.20.0.0/16"}, {"service_cidr": "172.21.0.0/16"}),
        (confirmed_cluster, {"cluster_name": "a", "kms_key_arn": ""}, {"cluster_name": "b", "kms_key_arn": KEY}),
        (fixed_values.another_vpc, {"tenancy": "dedicated"}, {"tenancy": "default"}),
        (fixed_values.another_alarm_key, {"alarm_key_arn": KEY}, {"alarm_key_arn": ""}),
        (another_cluster, {"session_logs.kms_key_arn": KEY}, {"session_logs.kms_key_arn": ""}),
        (another_cluster, {}, {"session_logs.kms_key_arn": KEY}),
        (fixed_values.another_environment, {}, {"product": "kept since this release only"}),
        (fixed_values.another_environment, {"region": "us-east-1"}, {"region": None}),
    ],
)
def test_other_changes_pass(judge: Judge, old: dict[str, Any], new: dict[str, Any]) -> None:
    refuse(lambda inputs: inputs["input"], judge)(update(old, new))


def test_all_that_must_not_change_is_told_at_once() -> None:
    old = {"cluster_name": "a", "product": "e6data", "region": "us-east-1"}
    said = refusal(fixed_values.another_environment, old, {key: f"other {value}" for key, value in old.items()})
    assert [line.split(" = ")[0] for line in said.splitlines()] == ["cluster_name", "product", "region"]


class Part(pulumi.ComponentResource):
    """One with a child."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("test:index:Part", name, None, opts)
        Part.child(self)

    @staticmethod
    def child(parent: pulumi.Resource) -> None:
        pulumi.ComponentResource("test:index:Child", "child", None, pulumi.ResourceOptions(parent=parent))


@pytest.mark.parametrize(("confirmed", "hooks"), [(False, ["kept"]), (True, [])])
def test_a_component_waits_for_the_verdict_which_a_confirmation_takes_away(confirmed: bool, hooks: list[str]) -> None:
    recorder = Recorder()

    def program() -> None:
        opts = pulumi.ResourceOptions(ignore_changes=["a"])
        kept = lock("kept", {"cidr": "10.0.0.0/16"}, fixed_values.another_vpc, opts, confirmed)
        Part("part", behind(kept, opts))

    recorder.run(program)
    kept, part, child = recorder.registrations
    assert (kept.type, kept.inputs) == ("pulumi:index:Stash", {"input": {"cidr": "10.0.0.0/16"}})
    assert list(kept.request.hooks.before_update) == hooks
    assert kept.key in part.dependencies
    assert list(part.request.ignoreChanges) == ["a"]
    assert child.parent.endswith("Part::part")
    assert not kept.request.ignoreChanges
