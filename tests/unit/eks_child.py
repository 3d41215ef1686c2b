"""What pulumi-eks answers under mocks: a component of another package, whose child our transforms edit."""

from typing import Any

import pulumi
import pytest
from pulumi.runtime.mocks import MockMonitor, MockResourceArgs
from pulumi.runtime.settings import get_monitor

from recording import Recorder, Registration

CLUSTER_ARN = "arn:aws:eks:us-east-1:123456789012:cluster/analytics"
ISSUER = "https://oidc.eks.us-east-1.amazonaws.com/id/ABC"
ROLE = "aws:iam/role:Role"
CONTROL_PLANE = "aws:eks/cluster:Cluster"
CONTROL_PLANE_URN = f"urn:pulumi:stack::project::eks-analytics:index:Cluster$eks:index:Cluster${CONTROL_PLANE}::c-child"


def answer_for_pulumi_eks(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> list[pulumi.ResourceTransformArgs]:
    """Answer for its clusters from now on; returns their control planes after our transforms, as they come."""
    children: list[pulumi.ResourceTransformArgs] = []
    provider = recorder.new_resource

    def new_resource(args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        if args.typ != "eks:index:Cluster":
            id, state = provider(args)
            return id, {"name": f"{args.name}-name", "keyId": "1234", "latestVersion": 1.0, **state}
        child = pulumi.ResourceTransformArgs(
            custom=True,
            type_=CONTROL_PLANE,
            name="c-eksCluster",
            props={
                "name": args.inputs["name"],
                "accessConfig": {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": True},
            },
            opts=pulumi.ResourceOptions(ignore_changes=["bootstrapSelfManagedAddons"]),
        )
        for transform in args.transforms:
            result = transform(child)
            assert isinstance(result, pulumi.ResourceTransformResult)
            child.props, child.opts = result.props, result.opts
            role = pulumi.ResourceTransformArgs(True, ROLE, "r", {}, pulumi.ResourceOptions())
            bounded = transform(role)
            assert bounded is None or isinstance(bounded, pulumi.ResourceTransformResult)
            if bounded:
                none = frozenset[str]()
                name = f"{args.name}-eksRole-role"
                recorder.registrations.append(Registration(ROLE, name, dict(bounded.props), "", none, {}, None))
        children.append(child)
        monitor = get_monitor()
        assert isinstance(monitor, MockMonitor)
        state = {
            "name": args.inputs["name"],
            "arn": CLUSTER_ARN,
            "endpoint": "https://abc.eks.amazonaws.com",
            "certificateAuthority": {"data": "Y2E="},
            "identities": [{"oidcs": [{"issuer": ISSUER}]}],
            "vpcConfig": {"clusterSecurityGroupId": "sg-1", "subnetIds": args.inputs["subnetIds"]},
            "version": args.inputs["version"],
        }
        monitor.resources[CONTROL_PLANE_URN] = MockMonitor.ResourceRegistration(CONTROL_PLANE_URN, "c", state)
        # A reference to the child, in the engine's own notation.
        reference = {"4dabf18193072939515e22adb298388d": "5cf8f73096256a8f31e491e813e4eb8e"}
        return "", {"eksCluster": {**reference, "urn": CONTROL_PLANE_URN, "id": "c"}}

    monkeypatch.setattr(recorder, "new_resource", new_resource)
    return children
