"""What a Karpenter refuses before AWS or Kubernetes would, and what it warns of."""

from typing import Any

import pytest

from eks_analytics.helm_values import merged, value_at
from eks_analytics.karpenter_checks import KarpenterOptions, check_karpenter, karpenter_warnings

PROVIDER = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/ABC"


def options(**changes: Any) -> KarpenterOptions:
    return KarpenterOptions(**{"cluster_name": "analytics", "region": "us-east-1", **changes})


@pytest.mark.parametrize(
    "right",
    [
        {},
        {"version": "1.15.0"},
        {"identity": "irsa", "has_oidc_provider": True, "oidc_provider_arn": PROVIDER},
        {"identity": "irsa", "has_oidc_provider": True, "oidc_provider_arn": None},  # not known yet
        {"allowed_name_prefix": "e6data-"},
        {"allowed_names": ["e6data-one", "batch"]},
        {"allowed_names": [f"e6data-workspace{number:02}" for number in range(25)]},
        {"isolated_vpc": True, "use_instance_profile": True},
        {"replicas": 1, "namespace": "karpenter"},
        {"helm_values": {"settings": {"featureGates": {"nodeRepair": True}}, "logLevel": "debug"}},
        {"helm_values": {"affinity": None, "controller": {"resources": {"limits": {"memory": "2Gi"}}}}},
        {"tags": {"CostCenter": "42"}},
        {"cluster_name": "Dash_1"},
    ],
)
def test_what_works_is_taken(right: dict[str, Any]) -> None:
    assert check_karpenter(options(**right)) == []


@pytest.mark.parametrize(
    ("wrong", "input", "reason"),
    [
        ({"cluster_name": "my cluster"}, "cluster_name", "EKS refuses the name"),
        ({"version": "v1.14.1"}, "version", "without a v"),
        ({"version": "1.14"}, "version", "three numbers"),
        ({"version": "1.9.0"}, "version", "older than the policies"),
        ({"identity": "IRSA"}, "identity", "is unknown"),
        ({"identity": "irsa"}, "identity", "none is named"),
        ({"has_oidc_provider": True, "oidc_provider_arn": PROVIDER}, "oidc_provider_arn", "is not used"),
        (
            {"identity": "irsa", "has_oidc_provider": True, "oidc_provider_arn": "https://oidc.eks"},
            "oidc_provider_arn",
            "not the issuer's URL",
        ),
        ({"allowed_name_prefix": "e6data-*"}, "allowed_name_prefix", "no asterisk"),
        ({"allowed_name_prefix": "E6data"}, "allowed_name_prefix", "small letters"),
        ({"allowed_name_prefix": "e6data-", "allowed_names": ["a"]}, "allowed_names", "only one of them can count"),
        ({"allowed_names": ["e6data-*"]}, "allowed_names", "is no name of a NodePool"),
        ({"allowed_names": ["one", "one"]}, "allowed_names", "more than once"),
        ({"isolated_vpc": True}, "isolated_vpc", "IAM is out of reach"),
        ({"namespace": "Kube-System"}, "namespace", "is no name of a namespace"),
        ({"replicas": 0}, "replicas", "leaves no controller"),
        ({"helm_values": {"settings": {"clusterName": "x"}}}, "helm_values.settings.clusterName", "made for"),
        ({"helm_values": {"serviceAccount": {"name": "x"}}}, "helm_values.serviceAccount.name", "made for"),
        ({"helm_values": {"replicas": 5}}, "helm_values.replicas", "use the argument replicas"),
        ({"helm_values": {"settings": {"clusterName": None}}}, "helm_values.settings.clusterName", "leave it out"),
        ({"helm_values": {"settings": "foo"}}, "helm_values.settings", "take the place of a map"),
        ({"helm_values": {"settings": None}}, "helm_values.settings", "take the place of a map"),
        (
            {"helm_values": {"controller": {"resources": 1}}},
            "helm_values.controller.resources",
            "write keys and values",
        ),
        ({"tags": {"Name": "x"}}, "tags", "set themselves"),
    ],
)
def test_what_cannot_work_is_refused(wrong: dict[str, Any], input: str, reason: str) -> None:
    (problem,) = check_karpenter(options(**wrong))
    assert problem.input == input
    assert reason in str(problem)


def test_more_names_than_iam_takes_are_refused_with_how_many_it_takes() -> None:
    names = [f"e6data-workspace{number:02}" for number in range(40)]
    (problem,) = check_karpenter(options(allowed_names=names))
    assert "40 names" in str(problem)
    assert "IAM takes 6144: at most the first 32 of them fit" in str(problem)
    assert "use allowed_name_prefix" in str(problem)
    assert check_karpenter(options(allowed_names=names[:32])) == []
    assert len(check_karpenter(options(allowed_names=names[:33]))) == 1


def test_an_unknown_region_is_counted_as_the_longest() -> None:
    names = [f"e6data-workspace{number:02}" for number in range(40)]
    assert "at most the first 30 of them fit" in str(check_karpenter(options(region="", allowed_names=names))[0])


def test_one_controller_and_an_image_out_of_reach_are_warned_of() -> None:
    isolated = options(isolated_vpc=True, use_instance_profile=True, replicas=1)
    one, image = karpenter_warnings(isolated)
    assert "replicas is 1" in one
    assert "public.ecr.aws" in image
    own = {"controller": {"image": {"repository": "123456789012.dkr.ecr.us-east-1.amazonaws.com/karpenter"}}}
    assert karpenter_warnings(options(isolated_vpc=True, helm_values=own)) == []
    assert karpenter_warnings(options()) == []


def test_values_are_merged_as_helm_does_it() -> None:
    values = {"a": {"b": 1, "c": [1, 2]}, "d": {"e": 1}, "f": 1}
    overrides = {"a": {"c": [3], "g": 2}, "d": 4, "h": {"i": None}}
    assert merged(values, overrides) == {"a": {"b": 1, "c": [3], "g": 2}, "d": 4, "f": 1, "h": {"i": None}}
    assert values == {"a": {"b": 1, "c": [1, 2]}, "d": {"e": 1}, "f": 1}


def test_a_value_is_found_at_its_path() -> None:
    values = {"a": {"b": {"c": 1}}, "d": "text"}
    assert [value_at(values, path) for path in ("a.b.c", "a.x.c", "d.b", "e")] == [1, None, None, None]
