"""What others publish, and many use as it is, raises no alarm."""

import json
from typing import Any

import pytest
from moto.iam.aws_managed_policies import aws_managed_policies_data

import upstream_programs
import upstream_stacks
from policy_cases import TAGS
from policy_world import Made, configured, judge

PROGRAMS = {**upstream_programs.PROGRAMS, **upstream_stacks.PROGRAMS}


@pytest.mark.parametrize("production", [False, True], ids=["elsewhere", "production"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_as_published_passes_all_rules(name: str, production: bool) -> None:
    source, made = PROGRAMS[name]
    verdict = judge(made, configured(production=production))
    unrelated = {"protect-stateful-resources"}  # whether production may lose them is nothing that a policy says
    assert [(rule, message) for rule, message in verdict.said if rule not in unrelated] == [], source
    assert verdict.waiting == []


def test_there_are_enough_programs_to_mean_something() -> None:
    assert len(PROGRAMS) == len(upstream_programs.PROGRAMS) + len(upstream_stacks.PROGRAMS)
    assert len(PROGRAMS) >= 60
    assert all(source.startswith("https://") for source, _ in PROGRAMS.values())


MANAGED: dict[str, Any] = json.loads(aws_managed_policies_data)
"""AWS's managed policies by name, as https://docs.aws.amazon.com/aws-managed-policy/latest/reference/ has them."""
OF_WORKLOADS = (
    "AWSLambdaBasicExecutionRole",
    "AWSLambdaVPCAccessExecutionRole",
    "AWSXRayDaemonWriteAccess",
    "AmazonEBSCSIDriverPolicy",
    "AmazonEC2ContainerRegistryPullOnly",
    "AmazonEC2ContainerRegistryReadOnly",
    "AmazonEFSCSIDriverPolicy",
    "AmazonEKSComputePolicy",
    "AmazonEKSBlockStoragePolicy",
    "AmazonEKSWorkerNodePolicy",
    "AmazonEKS_CNI_Policy",
    "AmazonPrometheusRemoteWriteAccess",
    "CloudWatchAgentServerPolicy",
)
OF_READERS = (
    "AmazonEC2ReadOnlyAccess",
    "AmazonDynamoDBReadOnlyAccess",
    "AmazonRDSReadOnlyAccess",
    "AmazonRoute53ReadOnlyAccess",
    "AmazonS3ReadOnlyAccess",
    "AmazonSQSReadOnlyAccess",
    "AmazonVPCReadOnlyAccess",
    "ElasticLoadBalancingReadOnly",
    "IAMReadOnlyAccess",
)


@pytest.mark.parametrize("name", [*OF_WORKLOADS, *OF_READERS])
def test_a_managed_policy_of_aws_passes_as_a_policy_of_ones_own(name: str) -> None:
    document = json.dumps(MANAGED[name]["Document"])
    made = Made("aws:iam/policy:Policy", "policy", {"policy": document, "tags": TAGS})
    length = {"limit-policy-size"}  # AWS's own may be longer
    assert judge([made], configured()).rules - length == set()
