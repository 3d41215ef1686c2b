"""What node pools refuse before Karpenter, Kubernetes or EC2 would, each with the way out."""

from typing import Any

import pytest

from eks_analytics.node_pool_checks import check_node_pools, node_pool_warnings
from eks_analytics.node_pool_options import NodePoolsOptions

BOTTLEROCKET = {"ami_alias": "bottlerocket@v1.50.0"}
DEVICE = {"device_name": "/dev/xvda", "size_gib": 100}


def options(*pools: dict[str, Any], **changes: Any) -> NodePoolsOptions:
    complete: Any = [{"name": "batch", "ami_alias": "al2023@v20260724", **pool} for pool in pools or ({},)]
    return NodePoolsOptions(**{"cluster_name": "analytics", "has_node_role": True, "pools": complete, **changes})


RIGHT: list[dict[str, Any]] = [
    {},
    BOTTLEROCKET,
    {**BOTTLEROCKET, "user_data": "[settings.kernel]\nlockdown = 'integrity'\n", "disk_size_gib": 59000},
    {"ami_alias": "al2023@latest"},
    {"instance_families": ["m6i", "m7i-flex", "u7i-12tb"], "instance_types": ["m6i.large", "m6i.metal"]},
    {"instance_families": ["m7g", "m6i"], "architectures": ["arm64", "amd64"]},
    {"instance_types": ["g5g.xlarge"], "architectures": ["arm64"]},
    {"zones": ["us-west-2a", "us-west-2-lax-1a"], "capacity_types": ["spot", "on-demand"]},
    {"requirements": [{"key": "karpenter.k8s.aws/instance-cpu", "operator": "Gt", "values": ["4"]}]},
    {"requirements": [{"key": "topology.kubernetes.io/region", "operator": "Exists"}]},
    {"requirements": [{"key": "team", "operator": "In", "values": ["a", "b"], "min_values": 2}]},
    {"requirements": [{"key": "topology.kubernetes.io/zone", "operator": "NotIn", "values": ["us-west-2d"]}]},
    {
        "requirements": [
            {
                "key": "karpenter.k8s.aws/instance-family",
                "operator": "In",
                "values": ["m6i", "m7i"],
                "min_values": 2,
            }
        ]
    },
    {"requirements": [{"key": "karpenter.sh/capacity-type", "operator": "NotIn", "values": ["spot"]}]},
    {"labels": {f"{'a' * 253}/b": "c"}},
    {"labels": {f"k{n}": "v" for n in range(100)}, "disruption_budgets": [{"nodes": "1"}] * 50},
    {"labels": {"app": "e6data", "node-role.kubernetes.io/batch": "true", "example.com/empty": ""}},
    {"taints": [{"key": "a", "effect": "NoSchedule"}, {"key": "a", "value": "b", "effect": "NoExecute"}]},
    {"startup_taints": [{"key": "node.cilium.io/agent-not-ready", "value": "true", "effect": "NoExecute"}]},
    {"limits": {"cpu": "100000", "memory": "1.5Ti", "nodes": "10", "nvidia.com/gpu": "8"}, "weight": 100},
    {"limits": {}},
    {"consolidation_policy": "Balanced", "consolidate_after": "Never", "expire_after": "Never"},
    {"consolidate_after": "0s", "termination_grace_period": "0s"},
    {"consolidate_after": "1h30m", "expire_after": "336h", "termination_grace_period": "48h"},
    {"disruption_budgets": [{"nodes": "100%", "reasons": ["Empty"]}, {"nodes": "0", "reasons": ["Drifted"]}]},
    {"disruption_budgets": [{"nodes": "0", "schedule": "0 9 * * mon-fri", "duration": "8h30m"}]},
    {"disruption_budgets": [{"nodes": "5", "schedule": "@daily", "duration": "10m"}]},
    {"disruption_budgets": [{"nodes": "0", "schedule": "0  9 * * *", "duration": "8h0s"}]},
    {"disruption_budgets": [{"nodes": "0", "schedule": "*/5,7 0-8/2 ? JAN,3-dec 0,Mon-6", "duration": "1h30m0s"}]},
    {"disk_size_gib": 20},
    {"block_devices": [{**DEVICE, "iops": 16000, "throughput": 1000, "root_volume": True}]},
    {"block_devices": [DEVICE, {"device_name": "/dev/xvdb", "snapshot_id": "snap-0a1b2c3d"}]},
    {"block_devices": [{**DEVICE, "volume_type": "io2", "iops": 100000, "kms_key_id": "alias/disks"}]},
    {"block_devices": [{**DEVICE, "volume_type": "io1", "iops": 5000.0}]},
    {"block_devices": [{**DEVICE, "size_gib": 8, "snapshot_id": "snap-0a1b2c3d"}]},
    {**BOTTLEROCKET, "block_devices": [{**DEVICE, "size_gib": 4}, {**DEVICE, "device_name": "/dev/xvdb"}]},
    {"block_devices": [DEVICE, {"device_name": "/dev/xvdb", "size_gib": 8, "volume_type": "gp2"}]},
    {"instance_store": "raid0"},
    {"user_data": "#!/bin/bash\necho ${HOME}\n"},
    {"user_data": "apiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\n"},
    {"user_data": "# disks\n---\nkind: NodeConfig\napiVersion: node.eks.aws/v1alpha1\n"},
    {"block_devices": [{**DEVICE, "kms_key_id": "1234abcd-12ab-34cd-56ef-1234567890ab"}]},
    {"block_devices": [{**DEVICE, "kms_key_id": "arn:aws-us-gov:kms:us-gov-west-1:123456789012:alias/a"}]},
    {"user_data": 'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="//"\n\n--//--\n'},
    {"subnet_selector": [{"tags": {"a": "*"}}, {"id": "subnet-0a1b2c3d"}]},
    {"security_group_selector": [{"id": "sg-0123456789abcdef0"}, {"tags": {"Name": "nodes"}}]},
    {"metadata_options": {"http_put_response_hop_limit": 2, "http_protocol_ipv6": "enabled"}},
    {"metadata_options": {"http_endpoint": "disabled", "http_tokens": "optional"}},
    {"tags": {"app": "e6data"}, "detailed_monitoring": True, "associate_public_ip_address": False},
]


@pytest.mark.parametrize("right", RIGHT)
def test_what_works_is_taken(right: dict[str, Any]) -> None:
    assert check_node_pools(options(right)) == []


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"name": "Batch"}, "name", 'write a name such as "batch"'),
    ({"name": "x" * 64}, "name", "at most 63"),
    ({"ami_alias": "al2@v20240807"}, "ami_alias", "Amazon Linux 2, which ended"),
    ({"ami_alias": "windows2022@latest"}, "ami_alias", "al2023 and bottlerocket are"),
    ({"ami_alias": "ami-0a1b2c3d"}, "ami_alias", "no family of images"),
    ({"ami_alias": "al2023"}, "ami_alias", "names no release of al2023"),
    ({"ami_alias": "al2023@20260724"}, "ami_alias", '"al2023@v20260724"'),
    ({"ami_alias": "bottlerocket@1.50"}, "ami_alias", '"bottlerocket@v1.50.0"'),
    ({"instance_store": "RAID-0"}, "instance_store", 'write "raid0"'),
    ({"instance_store": "raid0", "user_data": "#!/bin/bash"}, "user_data", "stands beside instance_store"),
    ({"user_data": "#!/bin/bash\n$${#drives[@]}"}, "user_data", "how Terraform writes ${"),
    ({"user_data": "#!/bin/bash\n" + "x" * 16384}, "user_data", "has 16396 bytes, and EC2 takes 16384"),
    ({"user_data": "yum install nvme-cli -y"}, "user_data", 'begin a script with "#!/bin/bash"'),
    ({"user_data": "\n#!/bin/bash"}, "user_data", "neither a script, a NodeConfig nor a MIME archive"),
    ({**BOTTLEROCKET, "user_data": "settings"}, "user_data", "all that Bottlerocket takes"),
    ({**BOTTLEROCKET, "user_data": "#!/bin/bash\necho"}, "user_data", "Bottlerocket has no shell"),
    ({**BOTTLEROCKET, "user_data": "#!/bin/bash\n# nothing yet\n"}, "user_data", "Bottlerocket has no shell"),
    ({"capacity_types": ["ON_DEMAND"]}, "capacity_types", 'write "on-demand"'),
    ({"capacity_types": ["cheap"]}, "capacity_types", "use on-demand, spot"),
    ({"capacity_types": []}, "capacity_types", "leaves nothing to choose"),
    ({"capacity_types": ["spot", "spot"]}, "capacity_types", "more than once"),
    ({"architectures": ["x86_64"]}, "architectures", 'write "amd64"'),
    ({"instance_families": ["m6i.large"]}, "instance_families[0]", "without size"),
    ({"instance_families": ["m6i", "m6i"]}, "instance_families", "more than once"),
    ({"instance_types": ["m6i"]}, "instance_types[0]", "write family and size"),
    ({"instance_families": ["m6i"], "instance_types": ["m7i.large"]}, "instance_types[0]", "none of the inst"),
    ({"instance_families": ["m6i", "m7g"]}, "instance_families", "add arm64 to architectures"),
    ({"instance_types": ["m6i.large"], "architectures": ["amd64", "arm64"]}, "instance_types", "no machine of arm64"),
    ({"zones": ["usw2-az1"]}, "zones", "not its id or region"),
    ({"zones": ["us-west-2"]}, "zones", "not the name of an availability zone"),
    ({"zones": ["us-west-2a", "us-west-2a"]}, "zones", "more than once"),
    ({**BOTTLEROCKET, "instance_families": ["inf2"]}, "instance_families", "no image of Bottlerocket has drivers"),
    ({"capacity_types": ["on-demand", "reserved"]}, "capacity_types", "selects none"),
    (
        {"requirements": [{"key": "karpenter.k8s.aws/capacity-reservation-id", "operator": "Exists"}]},
        *("requirements[0]", "selects none"),
    ),
    (
        {
            "requirements": [
                {
                    "key": "karpenter.sh/capacity-type",
                    "operator": "In",
                    "values": ["reserved", "spot"],
                    "min_values": 1,
                }
            ]
        },
        *("requirements[0]", "selects none"),
    ),
    ({"requirements": [{"key": "a b", "operator": "Exists"}]}, "requirements[0].key", "not a Kubernetes key"),
    (
        {"requirements": [{"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64"]}]},
        "requirements[0].key",
        "use architectures",
    ),
    (
        {"requirements": [{"key": "karpenter.k8s.aws/instance-cpus", "operator": "Gt", "values": ["4"]}]},
        "requirements[0].key",
        "not among Karpenter's labels",
    ),
    ({"requirements": [{"key": "karpenter.sh/nodepool", "operator": "Exists"}]}, "requirements[0].key", "leave it out"),
    ({"requirements": [{"key": "a", "operator": "in", "values": ["b"]}]}, "requirements[0].operator", "use In,"),
    ({"requirements": [{"key": "a", "operator": "In"}]}, "requirements[0].values", "In takes one or more values"),
    ({"requirements": [{"key": "a", "operator": "Exists", "values": ["b"]}]}, "requirements[0].values", "takes no v"),
    ({"requirements": [{"key": "a", "operator": "Gt", "values": ["-1"]}]}, "requirements[0].values", "whole number"),
    ({"requirements": [{"key": "a", "operator": "In", "values": ["b c"]}]}, "requirements[0].values", "label's value"),
    (
        {"requirements": [{"key": "a", "operator": "In", "values": ["b"], "min_values": 2}]},
        "requirements[0].min_values",
        "more different values than the 1",
    ),
    (
        {"requirements": [{"key": "a", "operator": "Exists", "min_values": 51}]},
        "requirements[0].min_values",
        "outside of 1 and 50",
    ),
    ({"requirements": [{"key": f"k{n}", "operator": "Exists"} for n in range(91)]}, "requirements", "more than 90"),
    (
        {"requirements": [{"key": "karpenter.sh/capacity-type", "operator": "In", "values": ["spot"]}]},
        "requirements[0].key",
        "use capacity_types",
    ),
    ({"requirements": [{"key": "karpenter.sh", "operator": "Exists"}]}, "requirements[0].key", "its domain is kept"),
    ({"labels": {"karpenter.sh": "b"}}, 'labels["karpenter.sh"]', "use a domain of your own"),
    ({"labels": {f"{'a' * 254}/b": "c"}}, f'labels["{"a" * 254}/b"]', "at most 253 characters"),
    ({"labels": {f"k{n}": "v" for n in range(101)}}, "labels", "more than the 100"),
    ({"disruption_budgets": [{"nodes": "1"}] * 51}, "disruption_budgets", "more than the 50"),
    ({"labels": {"-a": "b"}}, 'labels["-a"]', "not a Kubernetes key"),
    ({"labels": {"a": "b c"}}, 'labels["a"]', "not a label's value"),
    ({"labels": {"karpenter.sh/x": "b"}}, 'labels["karpenter.sh/x"]', "use a domain of your own"),
    ({"labels": {"topology.kubernetes.io/zone": "a"}}, 'labels["topology.kubernetes.io/zone"]', "use zones"),
    ({"labels": {"kubernetes.io/hostname": "a"}}, 'labels["kubernetes.io/hostname"]', "the node itself sets"),
    ({"taints": [{"key": "a", "effect": "NO_SCHEDULE"}]}, "taints[0].effect", 'write "NoSchedule"'),
    ({"taints": [{"key": "a", "effect": "Evict"}]}, "taints[0].effect", "use NoSchedule, NoExecute"),
    ({"taints": [{"key": "", "effect": "NoSchedule"}]}, "taints[0].key", "not a Kubernetes key"),
    ({"startup_taints": [{"key": "a", "effect": "NoExecute"}] * 2}, "startup_taints[1]", "is there already"),
    ({"limits": {"cpu": "many"}}, 'limits["cpu"]', "no amount that Kubernetes understands"),
    ({"limits": {"cpu": "-1"}}, 'limits["cpu"]', "no amount that Kubernetes understands"),
    ({"limits": {"memory": "400GiB"}}, 'limits["memory"]', '"400Gi"'),
    ({"weight": 0}, "weight", "outside of 1 and 100"),
    ({"weight": 101}, "weight", "outside of 1 and 100"),
    ({"consolidation_policy": "WhenUnderutilized"}, "consolidation_policy", "WhenEmptyOrUnderutilized"),
    ({"consolidate_after": "30"}, "consolidate_after", "numbers with h, m or s"),
    ({"expire_after": "30d"}, "expire_after", "no days"),
    ({"instance_families": ["mac1"]}, "instance_families[0]", "on which EKS runs no nodes"),
    ({"expire_after": "9999999h"}, "expire_after", "longer than any duration that Karpenter can read"),
    ({"consolidate_after": "2562048h"}, "consolidate_after", "would stop it for all node pools"),
    ({"expire_after": "0s"}, "expire_after", "replaces every node as soon as it is there"),
    ({"expire_after": "0h00m"}, "expire_after", "or Never"),
    ({"termination_grace_period": "Never"}, "termination_grace_period", "leave it out for no limit"),
    ({"disruption_budgets": [{"nodes": "110%"}]}, "disruption_budgets[0].nodes", "from 0% to 100%"),
    ({"disruption_budgets": [{"nodes": "1", "reasons": ["Expired"]}]}, "disruption_budgets[0].reasons", "use Empty,"),
    ({"disruption_budgets": [{"nodes": "1", "reasons": ["Empty"] * 2}]}, "disruption_budgets[0].reasons", "once"),
    ({"disruption_budgets": [{"nodes": "1", "schedule": "@daily"}]}, "disruption_budgets[0].schedule", "a duration"),
    ({"disruption_budgets": [{"nodes": "1", "duration": "1h"}]}, "disruption_budgets[0].duration", "a schedule"),
    (
        {"disruption_budgets": [{"nodes": "1", "schedule": "9 to 5", "duration": "8h"}]},
        "disruption_budgets[0].schedule",
        "no cron expression of five parts",
    ),
    *(
        (
            {"disruption_budgets": [{"nodes": "0", "schedule": schedule, "duration": "8h"}]},
            "disruption_budgets[0].schedule",
            text,
        )
        for schedule, text in (
            ("99 99 * * *", "has 99 as minute, which goes from 0 to 59"),
            ("0 24 * * *", "has 24 as hour, which goes from 0 to 23"),
            ("a b c d e", "has a as minute"),
            ("0 9 * * 7", "has 7 as day of the week, which goes from 0 to 6 or sun to sat"),
            ("0 9 * * fri-mon", "has fri-mon as day of the week"),
            ("0 9 L * *", "has L as day of the month"),
            ("0 9 0 * *", "has 0 as day of the month"),
            ("0 9 * 13 *", "has 13 as month"),
            ("*/0 9 * * *", "has */0 as minute"),
            ("1,, 9 * * *", "has 1,, as minute"),
            ("@every 1h", "no cron expression of five parts"),
            ("@a b c d e", "no cron expression of five parts"),
        )
    ),
    (
        {"disruption_budgets": [{"nodes": "1", "schedule": "@daily", "duration": "30s"}]},
        "disruption_budgets[0].duration",
        "in hours and minutes",
    ),
    (
        {"disruption_budgets": [{"nodes": "0", "schedule": "@daily", "duration": "0h0m"}]},
        "disruption_budgets[0].duration",
        "never counts",
    ),
    ({"disk_size_gib": 8}, "disk_size_gib", "images need 20 GiB"),
    ({"disk_size_gib": 100, "block_devices": [DEVICE]}, "disk_size_gib", "stands beside block_devices"),
    ({"block_devices": []}, "block_devices", "has 0 volumes"),
    ({"block_devices": [DEVICE, DEVICE]}, "block_devices", "more than once"),
    (
        {"block_devices": [{**DEVICE, "device_name": f"/dev/xvd{letter}", "root_volume": True} for letter in "ab"]},
        "block_devices",
        "marks 2 volumes as root_volume",
    ),
    ({"block_devices": [{**DEVICE, "device_name": "disk"}]}, "block_devices[0].device_name", '"/dev/xvda"'),
    ({"block_devices": [{"device_name": "/dev/xvda"}]}, "block_devices[0]", "neither size_gib nor snapshot_id"),
    ({"block_devices": [{**DEVICE, "snapshot_id": "x"}]}, "block_devices[0].snapshot_id", "not the id of a snapshot"),
    ({"block_devices": [{**DEVICE, "volume_type": "gp4"}]}, "block_devices[0].volume_type", "use gp3, gp2"),
    (
        {"block_devices": [{"device_name": "/dev/xvdb", "size_gib": 100, "volume_type": "st1"}]},
        *("block_devices[0].size_gib", "outside of 125 and 16384"),
    ),
    (
        {"block_devices": [{**DEVICE, "size_gib": 200, "volume_type": "sc1"}]},
        *("block_devices[0].volume_type", "cannot be the volume that a node boots from"),
    ),
    ({"block_devices": [{**DEVICE, "kms_key_id": "foo bar"}]}, "block_devices[0].kms_key_id", '"alias/disks"'),
    ({"user_data": "# disks\nkind: NodeConfig\n"}, "user_data", "neither a script, a NodeConfig"),
    ({"tags": {"Name": "x"}}, "tags", "Karpenter sets"),
    ({"block_devices": [{**DEVICE, "volume_type": "gp2", "iops": 3000}]}, "block_devices[0].iops", "cannot be chosen"),
    ({"block_devices": [{**DEVICE, "iops": 2000}]}, "block_devices[0].iops", "outside of 3000 and 80000"),
    ({"block_devices": [{**DEVICE, "volume_type": "io1"}]}, "block_devices[0].volume_type", "give iops, 100 to 64000"),
    ({"block_devices": [{**DEVICE, "volume_type": "io2"}]}, "block_devices[0].volume_type", "give iops, 100 to 256000"),
    (
        {"block_devices": [{**DEVICE, "volume_type": "io1", "iops": 6000}]},
        "block_devices[0].iops",
        "more than 50 for each of the 100 GiB; write 5000 or less",
    ),
    ({"block_devices": [{**DEVICE, "size_gib": 8}]}, "block_devices[0].size_gib", "write 20 or more"),
    ({"block_devices": [{**DEVICE, "throughput": 1000}]}, "block_devices[0].throughput", "set iops to 4000 or more"),
    ({"block_devices": [{**DEVICE, "size_gib": 20, "iops": 16000}]}, "block_devices[0].iops", "write 10000 or less"),
    ({"subnet_selector": []}, "subnet_selector", "leave it out for the cluster's own"),
    ({"subnet_selector": [{}]}, "subnet_selector[0]", "neither tags nor an id"),
    ({"subnet_selector": [{"id": "subnet-0a1b2c3d", "tags": {"a": "b"}}]}, "subnet_selector[0]", "both tags and an id"),
    ({"subnet_selector": [{"id": "sg-0a1b2c3d"}]}, "subnet_selector[0].id", "begins with subnet-"),
    ({"subnet_selector": [{"tags": {"a": ""}}]}, "subnet_selector[0].tags", 'write "*" for any value'),
    (
        {"security_group_selector": [{"tags": {f"k{n}": "v" for n in range(21)}}]},
        "security_group_selector[0].tags",
        "more than 20 tags",
    ),
    ({"metadata_options": {"http_tokens": "none"}}, "metadata_options.http_tokens", "use required or optional"),
    ({"metadata_options": {"http_endpoint": "on"}}, "metadata_options.http_endpoint", "use enabled or disabled"),
    (
        {"metadata_options": {"http_put_response_hop_limit": 65}},
        "metadata_options.http_put_response_hop_limit",
        "outside of 1 and 64",
    ),
    ({"kubelet": {"maxPods": 50}}, "kubelet", "leave it out, or use one of name, ami_alias"),
    ({"instanceFamilies": ["m6i"]}, "instanceFamilies", "did you mean instance_families?"),
    ({"consolidate": "30s"}, "consolidate", "did you mean consolidate_after?"),
    ({"metadata_options": {"hop_limit": 2}}, "metadata_options.hop_limit", "did you mean http_put_response_hop_limit?"),
    ({"block_devices": [{**DEVICE, "size_gb": 8}]}, "block_devices[0].size_gb", "did you mean size_gib?"),
    ({"block_devices": [{**DEVICE, "encrypted": False}]}, "block_devices[0].encrypted", "no such argument"),
    ({"subnet_selector": [{"id": "subnet-0a1b2c3d", "name": "x"}]}, "subnet_selector[0].name", "no such argument"),
    ({"taints": [{"key": "a", "efect": "x", "effect": "NoExecute"}]}, "taints[0].efect", "did you mean effect?"),
    (
        {"requirements": [{"key": "a", "operator": "Exists", "minValues": 2}]},
        "requirements[0].minValues",
        "did you mean min_values?",
    ),
    ({"disruption_budgets": [{"nodes": "1", "reason": []}]}, "disruption_budgets[0].reason", "did you mean reasons?"),
    ({"tags": {"karpenter.sh/nodepool": "x"}}, "tags", "leave it out"),
    ({"tags": {"kubernetes.io/cluster/analytics": "owned"}}, "tags", "leave it out"),
    ({"tags": {"eks:eks-cluster-name": "x"}}, "tags", "Karpenter sets itself"),
    ({"tags": {"karpenter.k8s.aws/ec2nodeclass": "x"}}, "tags", "Karpenter sets itself"),
    ({"tags": {"aws:x": "x"}}, "tags", "rename it"),
]


@pytest.mark.parametrize(("wrong", "input", "text"), WRONG)
def test_what_cannot_work_is_refused(wrong: dict[str, Any], input: str, text: str) -> None:
    (problem,) = check_node_pools(options(wrong))
    assert problem.input == f"pools[0].{input}"
    assert text in str(problem)


@pytest.mark.parametrize(
    ("changes", "input", "text"),
    [
        ({"pools": []}, "pools", "name at least one pool"),
        ({"has_node_role": False}, "node_role_name", "are both missing"),
        ({"has_instance_profile": True}, "node_role_name", "stand beside each other"),
        ({"allowed_name_prefix": "e6data-"}, "pools[0].name", 'write "e6data-batch"'),
        ({"tags": {"eks:eks-cluster-name": "x"}}, "tags", "Karpenter sets itself"),
    ],
)
def test_what_cannot_work_for_any_pool_is_refused(changes: dict[str, Any], input: str, text: str) -> None:
    (problem,) = check_node_pools(options(**changes))
    assert problem.input == input
    assert text in str(problem)


def test_two_pools_of_a_name_are_refused() -> None:
    (problem,) = check_node_pools(options({}, {}))
    assert "name more than one pool" in str(problem)


def test_a_zone_without_subnets_is_refused_where_zones_are_known() -> None:
    (problem,) = check_node_pools(options({"zones": ["us-west-2c"]}, availability_zones=["us-west-2a", "us-west-2b"]))
    assert str(problem) == (
        "pools[0].zones = 'us-west-2c': has no subnet for nodes; choose among us-west-2a, us-west-2b"
    )


def test_an_image_that_changes_by_itself_is_refused_in_production_and_warned_of_elsewhere() -> None:
    latest = {"ami_alias": "al2023@latest"}
    (problem,) = check_node_pools(options(latest, production=True))
    assert (problem.input, "in production too" in str(problem)) == ("pools[0].ami_alias", True)
    (warning,) = node_pool_warnings(options(latest))
    assert "all nodes of batch are replaced" in warning
    assert node_pool_warnings(options()) == []


def test_answers_without_tokens_are_warned_of() -> None:
    (warning,) = node_pool_warnings(options({"metadata_options": {"http_tokens": "optional"}}))
    assert "http_tokens is optional" in warning


def test_a_long_text_under_an_unknown_key_is_not_shown_in_full() -> None:
    (problem,) = check_node_pools(options({"userdata": "#!/bin/bash\n" + "x" * 100 + "end"}))
    assert "did you mean user_data?" in str(problem)
    assert "end" not in str(problem)


def test_a_key_of_ones_own_is_told_of_once_with_the_roles_that_its_policy_must_name() -> None:
    own = {"block_devices": [{**DEVICE, "kms_key_id": "alias/disks"}]}
    (warning,) = node_pool_warnings(options(own, {"name": "other", **own}))
    assert "controller_role_arn" in warning
    assert "kms:CreateGrant" in warning
    assert "AWSServiceRoleForEC2Spot" not in warning
    (warning,) = node_pool_warnings(options({**own, "capacity_types": ["on-demand", "spot"]}))
    assert "AWSServiceRoleForEC2Spot" in warning


def test_the_key_of_aws_needs_no_word() -> None:
    assert node_pool_warnings(options({"block_devices": [{**DEVICE, "kms_key_id": "alias/aws/ebs"}]})) == []


def test_all_problems_are_reported_at_once() -> None:
    assert len(check_node_pools(options({"zones": ["x"], "weight": 0}, {"name": "b", "expire_after": "1d"}))) == 3


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"limits": {"cpu": "0"}}, "makes no node"),
        ({"limits": {"memory": "0Gi"}}, "makes no node"),
        ({"limits": {"foo": "1"}}, "limits nothing: no node has such a resource; use cpu, memory"),
        ({"instance_families": ["m6i", "m99zz"]}, "node pool batch: m99zz is not among the machines known here"),
        ({"instance_types": ["m6i.3xlarge"]}, "m6i.3xlarge is not among"),
    ],
)
def test_what_may_never_have_a_node_is_warned_of(changes: dict[str, Any], text: str) -> None:
    assert check_node_pools(options(changes)) == []
    (warning,) = node_pool_warnings(options(changes))
    assert text in warning


def test_limits_of_other_resources_need_no_word() -> None:
    limits = {"cpu": "0.5", "nvidia.com/gpu": "8", "hugepages-2Mi": "10Gi", "ephemeral-storage": "1Ti"}
    assert node_pool_warnings(options({"limits": limits})) == []
