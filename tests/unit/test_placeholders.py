"""What stands for a secret that nobody here can decrypt: the setting that it stands for takes it."""

from collections.abc import Iterator
from copy import deepcopy
from datetime import date
from typing import Any, get_args, get_origin

import pytest
from pydantic import BaseModel

from operations import PROJECT, stack_settings
from operations.stack_configuration import SECRET, StackConfiguration
from operations.stack_configuration import load as read
from policies.pack.configuration import read as read_policies
from policies.rules import RULES
from settings import SettingsError
from settings.models import Settings
from settings.problems import Location, key_path
from settings.reading import block_of

STACKS = {name: read(PROJECT / f"Pulumi.{name}.yaml", PROJECT) for name in ("dev", "e6data")}
NEW_VPC = {"cidr": "10.20.0.0/16"}
VPC = {
    "existing_vpc_id": "vpc-0a1b2c3d4e5f6a7b8",
    "existing_private_subnets": {"us-east-1a": "subnet-0a1b2c3d4e5f6a7b8"},
}
SSH = {"bootstrap": {"ssh": {"public_key": SECRET, "allowed_cidrs": ["203.0.113.7/32"]}}}
ZONE = {"dns": {"hosted_zone_id": "Z0123456789ABCDEFGHIJ", "hosted_zone_name": "example.com"}}
TAINTED = {"key": "workload", "effect": "PREFER_NO_SCHEDULE"}
CONTEXT: dict[str, dict[str, Any]] = {
    "network.public_subnet_cidrs[0]": {"network": {**NEW_VPC, "public_subnet_cidrs": [SECRET, "10.20.0.0/20"]}},
    "network.private_subnet_cidrs[0]": {"network": {**NEW_VPC, "private_subnet_cidrs": [SECRET, "10.20.0.0/20"]}},
    "network.existing_private_subnets.us-east-1a": {"network": VPC},
    "network.existing_public_subnets.us-east-1a": {"network": VPC},
    "node_groups[0].taints[0].key": {"node_groups": [{"taints": [TAINTED]}]},
    "node_groups[0].taints[0].value": {"node_groups": [{"taints": [TAINTED]}]},
    "cluster.session_logs.kms_key_arn": {"cluster": {"session_logs": {"retention_days": 30}}},
    "cluster.control_plane_zones[0]": {"cluster": {"control_plane_zones": [SECRET, "us-east-1b"]}},
    "dash_enterprise.bootstrap.ssh.public_key": {"dash_enterprise": SSH},
    "dash_enterprise.bootstrap.ssh.allowed_cidrs[0]": {"dash_enterprise": SSH},
    "dash_enterprise.dns.hosted_zone_name": {"dash_enterprise": ZONE},
    "dash_enterprise.dns.prefixed_hosted_zone_id": {
        "dash_enterprise": {"dns": {**ZONE["dns"], "hosted_zone_name": "dash.dev.example.com"}}
    },
    "dash_enterprise.bootstrap.tools[0].name": {"dash_enterprise": {"bootstrap": {"tools": [{"version": "3.0.0"}]}}},
    "dash_enterprise.bootstrap.tools[0].version": {"dash_enterprise": {"bootstrap": {"tools": [{"name": "helm"}]}}},
    "dash_enterprise.bootstrap.tools[0].sha256": {"dash_enterprise": {"bootstrap": {"tools": [{"name": "helm"}]}}},
    "velero.bucket.object_lock.mode": {"velero": {"bucket": {"object_lock": {"days": 30}}}},
    "velero.bucket.replication.kms_key_arn": {"velero": {"bucket": {"replication": {"region": "us-west-2"}}}},
    "velero_credentials": {"velero": {"identity": "static"}},
}


def leaves(model: type[BaseModel] = Settings, at: Location = ()) -> Iterator[Location]:
    """The ways to all settings: blocks, lists and maps as a whole, and one item of each."""
    for name, field in model.model_fields.items():
        path, inner, origin = (*at, name), block_of(field.annotation), get_origin(field.annotation)
        yield path
        if inner:
            yield from leaves(inner, (*path, 0) if get_args(field.annotation) else path)
        elif origin in (tuple, dict):
            yield (*path, 0 if origin is tuple else "vpc-cni" if name == "addon_versions" else "us-east-1a")


def with_secret(configuration: StackConfiguration, path: Location) -> StackConfiguration:
    own = {key: deepcopy(configuration.values[key]) for key in configuration.own_keys}
    for block, values in CONTEXT.get(key_path(path), {}).items():
        own[f"eks-analytics:{block}"] = merged(own.get(f"eks-analytics:{block}", {}), values)
    return configuration.with_own(placed(own, (f"eks-analytics:{path[0]}", *path[1:])))


def merged(old: Any, new: Any) -> Any:
    if isinstance(old, dict) and isinstance(new, dict):
        return {**old, **{key: merged(old.get(key), value) for key, value in new.items()}}
    if isinstance(old, list) and isinstance(new, list) and old and isinstance(old[0], dict):
        return [merged(old[0], new[0]), *old[1:]]
    return new


def placed(value: Any, path: Location) -> Any:
    if not path:
        return SECRET
    first, rest = path[0], path[1:]
    if isinstance(first, int):
        items = value if isinstance(value, list) and value else [None]
        return [placed(items[0], rest), *items[1:]]
    block = value if isinstance(value, dict) else {}
    return {**block, first: placed(block.get(first), rest)}


def stack_of(path: Location) -> str:
    return "e6data" if path[0] == "e6data" else "dev"


EXISTING = "e6data.existing_cluster."
ELSEWHERE = ("airgapped", "us-east-1a")
CASES = [path for path in leaves() if path[0] not in ELSEWHERE and not key_path(path).startswith(EXISTING)]


@pytest.mark.parametrize("path", CASES, ids=key_path)
def test_every_setting_takes_the_placeholder_of_its_secret(path: Location) -> None:
    configuration = with_secret(STACKS[stack_of(path)], path)
    try:
        stack_settings._load(configuration, stack_of(path))
    except SettingsError as error:
        here = [one for one in error.problems if refers(one.input, key_path(path))]
        assert [str(one) for one in here] == []


def refers(to: str, setting: str) -> bool:
    return to.startswith(setting) or setting.startswith(f"{to}[")


GROUP = {"name": "core", "min_size": 2, "max_size": 3}
REPLICA_KEY = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
BOUNDARY = "arn:aws:iam::210987654321:policy/boundary"
SUBNETS = {"private_subnet_cidrs": ["10.77.0.0/20", "10.77.16.0/20"], "public_subnet_cidrs": [SECRET, SECRET]}
TOGETHER: dict[str, dict[str, Any]] = {
    "the range of plain subnets": {
        "network": {
            "cidr": SECRET,
            "private_subnet_cidrs": ["10.77.0.0/20", "10.77.16.0/20"],
            "public_subnet_cidrs": ["10.77.240.0/24", "10.77.241.0/24"],
        }
    },
    "the range of some plain subnets": {"network": {"cidr": SECRET, **SUBNETS}},
    "subnets beside plain ones": {
        "network": {"cidr": "10.20.0.0/16", "private_subnet_cidrs": [SECRET, "10.20.240.0/20"]},
    },
    "two types of machines": {"node_groups": [{**GROUP, "instance_types": [SECRET, SECRET]}]},
    "a type beside a plain one": {"node_groups": [{**GROUP, "instance_types": ["m6i.2xlarge", SECRET]}]},
    "a type for an image for ARM": {
        "node_groups": [{**GROUP, "ami_type": "AL2023_ARM_64_STANDARD", "instance_types": [SECRET, SECRET]}]
    },
    "all types for an image for ARM": {
        "node_groups": [{**GROUP, "ami_type": "BOTTLEROCKET_ARM_64", "instance_types": SECRET}]
    },
    "an image for types of ARM": {"node_groups": [{**GROUP, "ami_type": SECRET, "instance_types": ["m7g.2xlarge"]}]},
    "an image and a type beside one of ARM": {
        "node_groups": [{**GROUP, "ami_type": SECRET, "instance_types": [SECRET, "m7g.2xlarge"]}]
    },
    "two taints": {
        "node_groups": [{**GROUP, "instance_types": ["m6i.2xlarge"], "taints": [{**TAINTED, "key": SECRET}] * 2}]
    },
    "a base domain in a plain zone": {
        "dash_enterprise": {
            "base_domain": SECRET,
            "dns": {"hosted_zone_id": "Z0123456789ABCDEFGHIJ", "hosted_zone_name": "corp.example.org"},
        }
    },
    "a base domain that is a plain zone": {
        "dash_enterprise": {
            "base_domain": SECRET,
            "dns": {
                "hosted_zone_id": "Z0123456789ABCDEFGHIJ",
                "hosted_zone_name": "dash.example.org",
                "prefixed_hosted_zone_id": "Z1123456789ABCDEFGHIJ",
            },
        }
    },
    "the region of a plain key": {
        "velero": {"bucket": {"replication": {"region": SECRET, "kms_key_arn": REPLICA_KEY}}}
    },
    "the protocol of a plain address": {
        "velero": {"watch": {"subscriptions": [{"protocol": SECRET, "endpoint": "https://example.com/hook"}]}}
    },
    "a zone beside a plain one": {"availability_zones": ["us-east-1b", SECRET]},
    "zones of the control plane": {
        "availability_zones": [SECRET, SECRET],
        "cluster": {"control_plane_zones": ["us-east-1b", "us-east-1c"]},
    },
    "a zone of the control plane beside a plain one": {"cluster": {"control_plane_zones": ["us-east-1a", SECRET]}},
    "as many zones as subnets": {
        "availability_zones": SECRET,
        "network": {"cidr": "10.20.0.0/16", "private_subnet_cidrs": ["10.20.0.0/20", "10.20.16.0/20", "10.20.32.0/20"]},
    },
    "the account of a plain boundary": {"account_id": SECRET, "permissions_boundary_arn": BOUNDARY},
    "two schedules": {"velero": {"schedules": [{"name": SECRET}, {"name": SECRET}]}},
    "two tools": {"dash_enterprise": {"bootstrap": {"tools": [{"name": SECRET, "sha256": "0" * 64}] * 2}}},
    "two kinds of logs": {"cluster": {"log_types": [SECRET, SECRET, "audit"]}},
}


@pytest.mark.parametrize("changes", TOGETHER.values(), ids=TOGETHER)
def test_a_placeholder_fits_the_settings_with_which_it_is_judged(changes: dict[str, Any]) -> None:
    own = {key: deepcopy(STACKS["dev"].values[key]) for key in STACKS["dev"].own_keys}
    for block, values in changes.items():
        key = f"eks-analytics:{block}"
        own[key] = values if block in ("node_groups", "network") else merged(own.get(key, {}), values)
    stack_settings._load(STACKS["dev"].with_own(own), "dev")


@pytest.mark.parametrize("watch", [SECRET, {"subscriptions": SECRET}])
def test_in_production_somebody_is_told_of_missing_backups(watch: object) -> None:
    production = read(PROJECT / "Pulumi.prod.yaml", PROJECT)
    own = {key: deepcopy(production.values[key]) for key in production.own_keys}
    own["eks-analytics:velero"] = merged(own["eks-analytics:velero"], {"watch": watch})
    with pytest.raises(SettingsError) as refused:
        stack_settings._load(production.with_own({**own, "eks-analytics:cluster_nam": "x"}), "prod")
    assert [one.input for one in refused.value.problems if one.input.startswith("velero")] == []


def test_the_region_is_that_of_the_zones_where_it_is_secret() -> None:
    own = {key: deepcopy(STACKS["e6data"].values[key]) for key in STACKS["e6data"].own_keys}
    assert (
        stack_settings._load(STACKS["e6data"].with_own({**own, "aws:region": SECRET}), "e6data").region == "us-west-2"
    )


@pytest.mark.parametrize("production", [False, True])
def test_the_policy_pack_takes_the_placeholders_of_its_settings(production: bool) -> None:
    waiver = dict.fromkeys(("rule", "resource", "reason", "expires"), SECRET)
    policies = {"levels": {RULES[0].id: SECRET}, "waivers": [waiver]}
    text = STACKS["dev"].with_own({"eks-analytics:policies": policies})
    given = text.texts(lambda path: stack_settings.placeholder(text, path))["eks-analytics:policies"]
    assert read_policies(given, RULES, production, date.today()).problems == []
