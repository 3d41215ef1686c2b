"""Workspaces of e6data: the nodes that they come to, what is refused, and what mounts their disks."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from eks_analytics.e6data_workspace import E6dataWorkspace
from eks_analytics.e6data_workspace_options import (
    DEFAULT_MOUNT_PATHS,
    INSTANCE_STORES,
    WorkspaceSurroundings,
    check_workspace,
    check_workspaces,
    has_disks,
    mount_script,
    workspace_pool,
    workspace_warnings,
)
from eks_analytics.node_pool_options import Surroundings, node_class, node_pool
from eks_analytics.schema import InheritingAnalyzer
from recording import Recorder

AROUND = WorkspaceSurroundings("e6", ("us-west-2a", "us-west-2b"))


def workspace(**changes: Any) -> Any:
    return {"name": "analytics", "instance_families": ["m5d", "c5d"], **changes}


def problems(around: WorkspaceSurroundings = AROUND, **changes: Any) -> list[tuple[str, str]]:
    return [
        (problem.input, f"{problem.reason}; {problem.remedy}")
        for problem in check_workspace(workspace(**changes), around)
    ]


def test_a_workspace_comes_to_the_guides_node_pool_on_todays_api() -> None:
    assert node_pool(workspace_pool(workspace(zones=["us-west-2a"]))) == {
        "apiVersion": "karpenter.sh/v1",
        "kind": "NodePool",
        "metadata": {
            "name": "e6data-analytics",
            "labels": {"app": "e6data", "e6data-workspace-name": "analytics"},
            "annotations": {"pulumi.com/deletionPropagationPolicy": "foreground"},
        },
        "spec": {
            "template": {
                "metadata": {"labels": {"app": "e6data", "e6data-workspace-name": "analytics"}},
                "spec": {
                    "nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "e6data-analytics"},
                    "requirements": [
                        {"key": "kubernetes.io/os", "operator": "In", "values": ["linux"]},
                        {"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64"]},
                        {"key": "karpenter.sh/capacity-type", "operator": "In", "values": ["on-demand"]},
                        {"key": "karpenter.k8s.aws/instance-family", "operator": "In", "values": ["m5d", "c5d"]},
                        {"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["us-west-2a"]},
                    ],
                    "taints": [{"key": "e6data-workspace-name", "value": "analytics", "effect": "NoSchedule"}],
                    "expireAfter": "Never",
                },
            },
            "limits": {"cpu": "100000"},
            "disruption": {
                "consolidationPolicy": "WhenEmpty",
                "consolidateAfter": "30s",
                "budgets": [{"nodes": "100%", "reasons": ["Empty"]}, {"nodes": "0", "reasons": ["Drifted"]}],
            },
        },
    }


def test_a_workspace_comes_to_the_guides_node_class_on_todays_api() -> None:
    pool = workspace_pool(workspace(volume_size_gib=250, tags={"team": "bi"}))
    made = node_class(pool, Surroundings("e6", node_role="KarpenterNodes"))
    assert made["metadata"] == {
        "name": "e6data-analytics",
        "labels": {"app": "e6data", "e6data-workspace-name": "analytics"},
    }
    spec = made["spec"]
    assert spec["amiSelectorTerms"] == [{"alias": "al2023@v20260724"}]
    assert spec["role"] == "KarpenterNodes"
    assert spec["subnetSelectorTerms"] == [{"tags": {"karpenter.sh/discovery": "e6"}}]
    assert spec["securityGroupSelectorTerms"] == [{"tags": {"aws:eks:cluster-name": "e6"}}]
    assert "mount_paths=(/app/tmp /tmp)" in spec["userData"]
    assert spec["tags"] == {"app": "e6data", "team": "bi"}
    (volume,) = spec["blockDeviceMappings"]
    assert (volume["ebs"]["volumeSize"], volume["ebs"]["encrypted"]) == ("250Gi", True)


@pytest.mark.parametrize("store", INSTANCE_STORES)
def test_disks_of_the_machine_are_either_karpenters_or_the_scripts_never_both(store: str) -> None:
    spec = node_class(workspace_pool(workspace(instance_store=store)), Surroundings("e6", node_role="r"))["spec"]
    assert ("instanceStorePolicy" in spec, "userData" in spec) == (store == "raid0", store == "mount")


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "bi1"},
        {"name": "0" * 56},
        {"zones": ["us-west-2b"]},
        {"volume_size_gib": 20.0},
        {"cpu_limit": 1},
        {"instance_store": "mount", "mount_paths": ["/tmp"]},
        {"mount_paths": ["/data/cache", "/var/tmp", "/app/tmp"]},
        {"instance_store": "raid0"},
        {"instance_store": "none"},
        {"ami_alias": "bottlerocket@v1.50.0", "instance_store": "raid0"},
        {"ami_alias": "al2023@latest"},
        {"capacity_types": ["spot", "on-demand"]},
        {"instance_families": ["m6gd"], "architectures": ["arm64"]},
        {"instance_families": ["m6gd", "m5d"], "architectures": ["arm64", "amd64"]},
        {"expire_after": "720h"},
        {"tags": {"team": "bi", "app": "e6data"}},
    ],
)
def test_what_can_work_is_taken(changes: Any) -> None:
    assert problems(**changes) == []


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"name": "Analytics"}, "name", 'write "analytics"'),
    ({"name": "data_lake"}, "name", 'write "datalake"'),
    ({"name": "data-lake"}, "name", 'write "datalake"'),
    ({"name": "e6data-bi"}, "name", 'write "bi"'),
    ({"name": "bi"}, "name", "3 or more"),
    ({"name": "ä-ö"}, "name", 'such as "analytics"'),
    ({"name": ""}, "name", 'such as "analytics"'),
    ({"name": "x" * 57}, "name", "Kubernetes 56"),
    ({"instance_families": []}, "instance_families", "too small for the engine"),
    ({"instance_families": ["m5d.large"]}, "instance_families[0]", "without size"),
    ({"instance_families": ["M5D"]}, "instance_families[0]", 'such as "m6i"'),
    ({"instance_families": ["m5d", "m5d"]}, "instance_families", "name each once"),
    ({"instance_families": ["m5d", "m6gd"]}, "instance_families", "leave m6gd out"),
    ({"architectures": ["arm64"]}, "instance_families", "add amd64 to architectures"),
    ({"architectures": ["x86_64"]}, "architectures", 'write "amd64"'),
    ({"architectures": []}, "architectures", "leaves nothing to choose"),
    ({"capacity_types": ["ON_DEMAND"]}, "capacity_types", 'write "on-demand"'),
    ({"capacity_types": []}, "capacity_types", "leaves nothing to choose"),
    ({"zones": ["us-west-2c"]}, "zones", "choose among us-west-2a, us-west-2b"),
    ({"zones": ["usw2-az1"]}, "zones", "not its id"),
    ({"zones": ["us-west-2a", "us-west-2a"]}, "zones", "name each once"),
    ({"volume_size_gib": 8}, "volume_size_gib", "images need 20 GiB"),
    ({"volume_size_gib": 70000}, "volume_size_gib", "Karpenter takes 59000"),
    ({"cpu_limit": 0}, "cpu_limit", "no node could be made"),
    ({"cpu_limit": 1.5}, "cpu_limit", "write a whole number"),
    ({"instance_store": "RAID0"}, "instance_store", "write one of mount, raid0, none"),
    ({"instance_store": "tmp"}, "instance_store", "write one of mount, raid0, none"),
    ({"ami_alias": "bottlerocket@v1.50.0"}, "instance_store", "no shell"),
    ({"instance_store": "raid0", "mount_paths": ["/tmp"]}, "mount_paths", 'set instance_store to "mount"'),
    ({"mount_paths": []}, "mount_paths", "nowhere to mount"),
    ({"mount_paths": ["tmp"]}, "mount_paths[0]", "not an absolute path"),
    ({"mount_paths": ["/"]}, "mount_paths[0]", "not an absolute path"),
    ({"mount_paths": ["/tmp/"]}, "mount_paths[0]", "not an absolute path"),
    ({"mount_paths": ["/tmp/../etc"]}, "mount_paths[0]", "not an absolute path"),
    ({"mount_paths": ["/my data"]}, "mount_paths[0]", "not an absolute path"),
    ({"mount_paths": ["/$(reboot)"]}, "mount_paths[0]", "not an absolute path"),
    ({"mount_paths": ["/etc"]}, "mount_paths[0]", "files that the node needs"),
    ({"mount_paths": ["/var/lib/kubelet"]}, "mount_paths[0]", "files that the node needs"),
    ({"mount_paths": ["/var"]}, "mount_paths[0]", "files that the node needs"),
    ({"mount_paths": ["/tmp", "/app/tmp", "/tmp"]}, "mount_paths[2]", "is there twice"),
    ({"mount_paths": ["/app/tmp", "/app"]}, "mount_paths[1]", "lies within /app/tmp or around it"),
    ({"expire_after": "30d"}, "expire_after", ""),
    ({"ami_alias": "al2@v20260724"}, "ami_alias", "ended on 2026-06-30"),
    ({"ami_alias": "al2023"}, "ami_alias", "names no release"),
    ({"ami_alias": "ubuntu@v1"}, "ami_alias", "al2023 and bottlerocket"),
    ({"tags": {"app": "other"}}, "tags", "app=e6data"),
    ({"tags": {"eks:eks-cluster-name": "e6"}}, "tags", "Karpenter sets itself"),
    ({"tags": {"karpenter.sh/nodepool": "x"}}, "tags", "leave it out"),
    ({"tags": {"aws:x": "y"}}, "tags", "rename it"),
]


@pytest.mark.parametrize(("changes", "where", "words"), REFUSED)
def test_what_cannot_work_is_refused_with_what_to_write_instead(changes: Any, where: str, words: str) -> None:
    found = problems(**changes)
    # Machines are judged by the processors that are asked for.
    assert {input for input, _ in found} <= {where, *(["instance_families"] if "architectures" in changes else [])}
    assert found[0][0] == where
    assert any(words in text for _, text in found)


def test_an_image_that_changes_by_itself_is_refused_in_production() -> None:
    around = WorkspaceSurroundings("e6", production=True)
    assert [input for input, _ in problems(around, ami_alias="al2023@latest")] == ["ami_alias"]


def test_two_workspaces_cannot_have_one_name() -> None:
    named = [workspace(), workspace(name="other"), workspace()]
    (found,) = check_workspaces(named, AROUND)
    assert found.input == "workspaces[2].name"
    assert "workspaces[0]" in found.reason


def test_families_without_disks_are_warned_of_where_disks_are_to_be_mounted() -> None:
    families = ["m5", "c5d"]
    (warning,) = workspace_warnings(workspace(instance_families=families))
    assert "m5 have no instance store disks, so /app/tmp and /tmp on these nodes use the root volume" in warning
    assert workspace_warnings(workspace(instance_families=families, instance_store="raid0")) == []


@pytest.mark.parametrize(
    "family", ["m5d", "m5ad", "c6gd", "r6idn", "x2iedn", "z1d", "i3en", "i4i", "is4gen", "g5", "p4d"]
)
def test_families_with_disks_are_known(family: str) -> None:
    assert has_disks(family)


@pytest.mark.parametrize("family", ["m5", "c7g", "r6i", "x8g", "t3", "inf2"])
def test_families_without_disks_are_known(family: str) -> None:
    assert not has_disks(family)


# The component


@pytest.fixture
def build(recorder: Recorder) -> Callable[..., dict[str, Any]]:
    def build(**changes: Any) -> dict[str, Any]:
        args = {**workspace(cluster_name="e6", node_role_name="nodes", availability_zones=["us-west-2a"]), **changes}
        return recorder.run(lambda: E6dataWorkspace("e6-analytics", args))

    return build


def test_a_workspace_is_one_pool_and_one_class_with_known_names(build: Any, recorder: Recorder) -> None:
    outputs = build()
    assert outputs == {
        "workspace_name": "analytics",
        "node_pool_name": "e6data-analytics",
        "node_class_name": "e6data-analytics",
    }
    assert set(recorder.of("NodePool")) == set(recorder.of("EC2NodeClass")) == {"e6-analytics-e6data-analytics"}
    assert recorder.of("EC2NodeClass")["e6-analytics-e6data-analytics"].inputs["spec"]["role"] == "nodes"


def test_nothing_is_registered_where_something_is_wrong(build: Any, recorder: Recorder) -> None:
    with pytest.raises(ValueError, match="cannot be built as asked") as error:
        build(name="Analytics", cpu_limit=0, zones=["us-west-2b"])
    assert recorder.registrations == []
    for name in ("name", "cpu_limit", "zones"):
        assert f"- {name} = " in str(error.value)


def test_nodes_without_a_role_are_refused(build: Any, recorder: Recorder) -> None:
    with pytest.raises(ValueError, match="no IAM role"):
        build(node_role_name=None)
    assert recorder.registrations == []


def test_the_schema_describes_every_argument() -> None:
    definition = InheritingAnalyzer("eks_analytics").analyze_component(E6dataWorkspace)
    assert {name for name, found in definition.inputs.items() if not found.optional} == {
        "name",
        "instanceFamilies",
        "clusterName",
    }
    assert all(found.description for found in definition.inputs.values())


# The script, run with stand-ins of what touches a machine


@pytest.fixture
def mount(tmp_path: Path) -> Callable[..., tuple[int, list[str], str]]:
    """Runs the script on a machine with these disks; returns what it ran, and what it wrote into /etc/fstab."""
    programs, etc = tmp_path / "bin", tmp_path / "etc"
    programs.mkdir()
    etc.mkdir()

    def program(name: str, body: str = "") -> None:
        file = programs / name
        file.write_text(f'#!/bin/bash\necho "{name} $*" >>{tmp_path}/ran\n{body}\n')
        file.chmod(0o755)

    def run(*disks: str, mdadm: bool = True, broken: str = "") -> tuple[int, list[str], str]:
        for name in ("dnf", "mkfs.xfs", "mkdir", "systemctl", "mount", "chmod", *(["mdadm"] if mdadm else [])):
            program(name, "exit 1" if name == broken else "")
        listed = "".join(f"/dev/{disk} Amazon EC2 NVMe Instance Storage\\n" for disk in disks)
        program("lsblk", f"printf '/dev/nvme0n1 Amazon Elastic Block Store\\n{listed}'")
        program("blkid", "echo 1234-uuid")
        for name in ("awk", "bash"):
            (programs / name).symlink_to(f"/usr/bin/{name}")
        text = mount_script(DEFAULT_MOUNT_PATHS).replace("/etc/", f"{etc}/")
        done = subprocess.run(
            ["/bin/bash"], input=text, env={"PATH": str(programs)}, capture_output=True, text=True, check=False
        )
        assert "command not found" not in done.stderr.replace("mdadm: command not found", ""), done.stderr
        ran = (tmp_path / "ran").read_text().splitlines()
        fstab = etc / "fstab"
        return done.returncode, ran, fstab.read_text() if fstab.is_file() else ""

    return run


STORE = "/mnt/instance-store"
OPTIONS = "nofail,x-systemd.before=kubelet.service 0 0\n"
DISK = f"UUID=1234-uuid {STORE} xfs noatime,{OPTIONS}"
BINDS = "".join(f"{STORE} {path} none bind,{OPTIONS}" for path in ("/app/tmp", "/tmp"))


def test_one_disk_is_mounted_once_and_bound_to_every_path(mount: Any) -> None:
    code, ran, fstab = mount("nvme1n1")
    assert (code, fstab) == (0, DISK + BINDS)
    assert [one for one in ran if one.startswith(("mkfs", "mdadm", "mount", "chmod"))] == [
        "mkfs.xfs -f /dev/nvme1n1",
        f"mount --target {STORE}",
        f"chmod 1777 {STORE}",
        "mount --target /app/tmp",
        "mount --target /tmp",
    ]


def test_several_disks_become_one_array(mount: Any) -> None:
    code, ran, fstab = mount("nvme1n1", "nvme2n1")
    assert (code, fstab) == (0, DISK + BINDS)
    assert "mdadm --create /dev/md0 --run --level=0 --raid-devices=2 /dev/nvme1n1 /dev/nvme2n1" in ran
    assert "mkfs.xfs -f /dev/md0" in ran
    assert not any(one.startswith("dnf") for one in ran)


def test_an_image_without_mdadm_gets_it(mount: Any) -> None:
    _, ran, _ = mount("nvme1n1", "nvme2n1", mdadm=False)
    assert "dnf install --assumeyes mdadm" in ran


def test_without_disks_the_paths_are_on_the_root_volume_and_not_in_memory(mount: Any) -> None:
    code, ran, fstab = mount()
    assert (code, fstab) == (0, BINDS)
    assert not any(one.startswith(("mkfs", "mdadm", f"mount --target {STORE}")) for one in ran)
    assert f"chmod 1777 {STORE}" in ran


def test_what_fails_ends_the_script_before_it_promises_a_mount(mount: Any) -> None:
    code, ran, fstab = mount("nvme1n1", broken="mkfs.xfs")
    assert code != 0
    assert fstab == ""
    assert not any(one.startswith("mount") for one in ran)


def test_the_script_is_a_script_without_foreign_escapes() -> None:
    text = mount_script(DEFAULT_MOUNT_PATHS)
    assert text.startswith("#!/bin/bash\n")
    assert "$${" not in text
    assert os.linesep == "\n"


def test_an_image_that_changes_by_itself_is_told_of_as_it_is_for_a_workspace() -> None:
    (warning,) = workspace_warnings(workspace(ami_alias="bottlerocket@latest", instance_store="raid0"))
    assert warning.startswith("workspace analytics: with the ami_alias bottlerocket@latest new nodes")
    assert warning.endswith("such as bottlerocket@v1.50.0.")
    around = WorkspaceSurroundings("e6", production=True)
    ((name, text),) = problems(around, ami_alias="al2023@latest")
    assert (name, "replaces" in text, '"al2023@v20260724"' in text) == ("ami_alias", False, True)


def test_a_workspace_is_offered_the_ways_to_pay_that_it_takes() -> None:
    assert problems(capacity_types=[]) == [("capacity_types", "leaves nothing to choose; name some of on-demand, spot")]
    assert [name for name, _ in problems(capacity_types=["reserved"])] == ["capacity_types"]


def test_a_family_that_nobody_knows_is_warned_of() -> None:
    (warning,) = workspace_warnings(workspace(instance_families=["m5d", "m99zz"], instance_store="raid0"))
    assert warning.startswith("workspace analytics: m99zz is not among")
