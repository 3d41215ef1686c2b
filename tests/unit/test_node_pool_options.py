"""The EC2NodeClass and the NodePool that come of a pool."""

from typing import Any

import pytest

from eks_analytics.node_pool_options import (
    NodePoolArgs,
    Surroundings,
    delete_seconds,
    node_class,
    node_pool,
    seconds,
)

AROUND = Surroundings("analytics", node_role="analytics-node")
LEAST: NodePoolArgs = {"name": "batch", "ami_alias": "al2023@v20260724"}
EVERYTHING: NodePoolArgs = {
    "name": "e6data-one",
    "ami_alias": "al2023@v20260724",
    "instance_families": ["m5", "m5d"],
    "instance_types": ["m5.xlarge"],
    "zones": ["us-west-2a", "us-west-2b"],
    "capacity_types": ["spot", "on-demand"],
    "architectures": ["amd64"],
    "requirements": [
        {"key": "karpenter.k8s.aws/instance-cpu", "operator": "Gte", "values": ["4"]},
        {"key": "karpenter.k8s.aws/instance-hypervisor", "operator": "NotIn", "values": ["xen"]},
        {"key": "karpenter.k8s.aws/instance-local-nvme", "operator": "Exists"},
        {"key": "karpenter.k8s.aws/instance-category", "operator": "In", "values": ["m", "c"], "min_values": 2},
    ],
    "labels": {"app": "e6data", "e6data-workspace-name": "one"},
    "taints": [{"key": "e6data-workspace-name", "value": "one", "effect": "NoSchedule"}],
    "startup_taints": [{"key": "example.com/agent-not-ready", "effect": "NoExecute"}],
    "limits": {"cpu": "100000", "memory": "400Ti", "nodes": "50"},
    "weight": 10,
    "consolidation_policy": "WhenEmpty",
    "disruption_budgets": [
        {"nodes": "100%", "reasons": ["Empty"]},
        {"nodes": "0", "reasons": ["Drifted"], "schedule": "0 9 * * mon-fri", "duration": "8h"},
    ],
    "expire_after": "Never",
    "termination_grace_period": "1h30m",
    "block_devices": [
        {"device_name": "/dev/xvda", "size_gib": 200, "iops": 4000, "throughput": 1000, "root_volume": True},
        {"device_name": "/dev/xvdb", "snapshot_id": "snap-0a1b2c3d", "volume_type": "io2", "iops": 5000},
        {"device_name": "/dev/xvdc", "size_gib": 10, "kms_key_id": "alias/disks", "delete_on_termination": False},
    ],
    "instance_store": "raid0",
    "subnet_selector": [{"tags": {"Tier": "private"}}, {"id": "subnet-0a1b2c3d"}],
    "security_group_selector": [{"id": "sg-0a1b2c3d"}],
    "associate_public_ip_address": False,
    "detailed_monitoring": True,
    "metadata_options": {"http_put_response_hop_limit": 2, "http_protocol_ipv6": "enabled"},
    "tags": {"app": "e6data"},
}


def test_a_pool_with_nothing_said_is_private_encrypted_pinned_and_bounded() -> None:
    assert node_class(LEAST, AROUND) == {
        "apiVersion": "karpenter.k8s.aws/v1",
        "kind": "EC2NodeClass",
        "metadata": {"name": "batch"},
        "spec": {
            "amiSelectorTerms": [{"alias": "al2023@v20260724"}],
            "role": "analytics-node",
            "subnetSelectorTerms": [{"tags": {"karpenter.sh/discovery": "analytics"}}],
            "securityGroupSelectorTerms": [{"tags": {"aws:eks:cluster-name": "analytics"}}],
            "metadataOptions": {
                "httpEndpoint": "enabled",
                "httpProtocolIPv6": "disabled",
                "httpPutResponseHopLimit": 1,
                "httpTokens": "required",
            },
            "blockDeviceMappings": [
                {
                    "deviceName": "/dev/xvda",
                    "ebs": {
                        "volumeType": "gp3",
                        "deleteOnTermination": True,
                        "volumeSize": "100Gi",
                        "encrypted": True,
                    },
                }
            ],
            "detailedMonitoring": False,
        },
    }
    assert node_pool(LEAST) == {
        "apiVersion": "karpenter.sh/v1",
        "kind": "NodePool",
        "metadata": {"name": "batch", "annotations": {"pulumi.com/deletionPropagationPolicy": "foreground"}},
        "spec": {
            "template": {
                "spec": {
                    "nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "batch"},
                    "requirements": [
                        {"key": "kubernetes.io/os", "operator": "In", "values": ["linux"]},
                        {"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64"]},
                        {"key": "karpenter.sh/capacity-type", "operator": "In", "values": ["on-demand"]},
                    ],
                    "expireAfter": "720h",
                }
            },
            "limits": {"cpu": "1000"},
            "disruption": {
                "consolidationPolicy": "WhenEmptyOrUnderutilized",
                "consolidateAfter": "5m",
                "budgets": [{"nodes": "10%"}],
            },
        },
    }


def test_everything_that_is_said_of_machines_is_in_the_class() -> None:
    found = node_class(EVERYTHING, Surroundings("analytics", node_role="role", tags={"app": "all", "team": "x"}))
    spec = found["spec"]
    assert found["metadata"] == {"name": "e6data-one", "labels": {"app": "e6data", "e6data-workspace-name": "one"}}
    assert spec["subnetSelectorTerms"] == [{"tags": {"Tier": "private"}}, {"id": "subnet-0a1b2c3d"}]
    assert spec["securityGroupSelectorTerms"] == [{"id": "sg-0a1b2c3d"}]
    assert spec["instanceStorePolicy"] == "RAID0"
    assert spec["tags"] == {"app": "e6data", "team": "x"}
    assert (spec["associatePublicIPAddress"], spec["detailedMonitoring"]) == (False, True)
    assert spec["metadataOptions"]["httpPutResponseHopLimit"] == 2
    root, copied, kept = spec["blockDeviceMappings"]
    assert root == {
        "deviceName": "/dev/xvda",
        "rootVolume": True,
        "ebs": {
            "volumeType": "gp3",
            "deleteOnTermination": True,
            "volumeSize": "200Gi",
            "encrypted": True,
            "iops": 4000,
            "throughput": 1000,
        },
    }
    # EC2 takes no word on the encryption of a volume made of a snapshot.
    assert copied["ebs"] == {
        "volumeType": "io2",
        "deleteOnTermination": True,
        "snapshotID": "snap-0a1b2c3d",
        "iops": 5000,
    }
    assert (kept["ebs"]["kmsKeyID"], kept["ebs"]["deleteOnTermination"]) == ("alias/disks", False)


def test_everything_that_is_said_of_nodes_is_in_the_pool() -> None:
    found = node_pool(EVERYTHING)
    spec, template = found["spec"], found["spec"]["template"]
    labels = {"app": "e6data", "e6data-workspace-name": "one"}
    assert found["metadata"]["labels"] == template["metadata"]["labels"] == labels
    assert template["spec"]["taints"] == [
        {"key": "e6data-workspace-name", "value": "one", "effect": "NoSchedule"},
    ]
    assert template["spec"]["startupTaints"] == [{"key": "example.com/agent-not-ready", "effect": "NoExecute"}]
    assert (template["spec"]["expireAfter"], template["spec"]["terminationGracePeriod"]) == ("Never", "1h30m")
    assert (spec["limits"], spec["weight"]) == ({"cpu": "100000", "memory": "400Ti", "nodes": "50"}, 10)
    assert spec["disruption"] == {
        "consolidationPolicy": "WhenEmpty",
        "consolidateAfter": "30s",
        "budgets": [
            {"nodes": "100%", "reasons": ["Empty"]},
            {"nodes": "0", "reasons": ["Drifted"], "schedule": "0 9 * * mon-fri", "duration": "8h"},
        ],
    }
    required = {one["key"]: one for one in template["spec"]["requirements"]}
    assert required["karpenter.k8s.aws/instance-family"]["values"] == ["m5", "m5d"]
    assert required["node.kubernetes.io/instance-type"]["values"] == ["m5.xlarge"]
    assert required["topology.kubernetes.io/zone"]["values"] == ["us-west-2a", "us-west-2b"]
    assert required["karpenter.sh/capacity-type"]["values"] == ["spot", "on-demand"]
    assert required["karpenter.k8s.aws/instance-local-nvme"] == {
        "key": "karpenter.k8s.aws/instance-local-nvme",
        "operator": "Exists",
    }
    assert required["karpenter.k8s.aws/instance-category"]["minValues"] == 2


def test_a_class_names_an_instance_profile_instead_of_a_role() -> None:
    spec = node_class(LEAST, Surroundings("analytics", instance_profile="analytics-node"))["spec"]
    assert (spec.get("instanceProfile"), "role" in spec) == ("analytics-node", False)


def test_the_clusters_security_group_is_named_where_its_id_is_known() -> None:
    around = Surroundings("analytics", node_role="role", security_group_id="sg-0a1b2c3d")
    assert node_class(LEAST, around)["spec"]["securityGroupSelectorTerms"] == [{"id": "sg-0a1b2c3d"}]


def test_bottlerocket_keeps_images_and_pods_on_a_disk_of_their_own() -> None:
    pool: NodePoolArgs = {"name": "b", "ami_alias": "bottlerocket@v1.50.0", "disk_size_gib": 300}
    devices = node_class(pool, AROUND)["spec"]["blockDeviceMappings"]
    assert [(one["deviceName"], one["ebs"]["volumeSize"]) for one in devices] == [
        ("/dev/xvda", "4Gi"),
        ("/dev/xvdb", "300Gi"),
    ]


def test_numbers_that_came_through_the_plugin_are_whole_again() -> None:
    pool: Any = {**LEAST, "weight": 5.0, "metadata_options": {"http_put_response_hop_limit": 2.0}}
    pool["block_devices"] = [{"device_name": "/dev/xvda", "size_gib": 50.0, "iops": 3000.0, "throughput": 125.0}]
    text = str([node_class(pool, AROUND), node_pool(pool)])
    assert ".0" not in text
    assert "'50Gi'" in text


@pytest.mark.parametrize(("grace", "expected"), [("", 1800), ("10m", 1800), ("1h", 4500), ("1h30m5s", 6305)])
def test_a_pool_has_the_time_to_go_that_its_pods_have(grace: str, expected: int) -> None:
    pool: NodePoolArgs = {**LEAST, "termination_grace_period": grace} if grace else LEAST
    assert delete_seconds(pool) == expected


def test_durations_are_added_up() -> None:
    assert seconds("1h2m3s") == 3723
    assert seconds("Never") == 0


@pytest.mark.parametrize(("given", "made"), [(100, "100"), (100.0, "100"), (1e7, "10000000"), (0.5, "0.5")])
def test_limits_may_be_numbers(given: Any, made: str) -> None:
    pool: Any = {**LEAST, "limits": {"cpu": given}}
    assert node_pool(pool)["spec"]["limits"] == {"cpu": made}
