"""The shape of a BootstrapInstance: what it registers, in which order, and what it tells people to type."""

import base64
import gzip
import json
from collections.abc import Callable
from typing import Any

import pulumi
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from eks_analytics import first_boot
from eks_analytics.bootstrap import BootstrapInstance
from eks_analytics.schema import InheritingAnalyzer
from eks_analytics.versions import RELEASES
from recording import Recorder, Registration

SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:analytics/dash-enterprise"
KUBECONFIG = '{"kind": "Config", "current-context": "the-kubeconfig-of-analytics"}'
PUBLIC_KEY = (
    rsa.generate_private_key(65537, 2048).public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
)
SSH = {"public_key": f"{PUBLIC_KEY} ada\n", "allowed_cidrs": ["198.51.100.0/24", "2001:db8::/48"]}
UNTAGGABLE = {"BootstrapInstance", "RolePolicy", "AccessPolicyAssociation", "BucketObjectv2"}
RESTART = "sudo systemctl restart dash-enterprise-port-forward"

Build = Callable[..., dict[str, Any]]


def arguments(**changes: Any) -> Any:
    return {
        "cluster": {
            "name": "analytics",
            "kubernetes_version": "1.35",
            "security_group_id": "sg-cluster",
            "kubeconfig": KUBECONFIG,
        },
        "region": "us-east-1",
        "account_id": "123456789012",
        "vpc_id": "vpc-1",
        "subnet_id": "subnet-1",
        "installation": {
            "bucket_name": "analytics-files",
            "install_script_key": "install_de_aws.sh",
            "license_secret_arn": f"{SECRET}/license-Ab12Cd",
            "tls_certificate_secret_arn": f"{SECRET}/tls-certificate-Ab12Cd",
            "tls_private_key_secret_arn": f"{SECRET}/tls-private-key-Ab12Cd",
            "admin_password_secret_arn": f"{SECRET}/admin-password-Ab12Cd",
            "kms_key_arn": "arn:aws:kms:us-east-1:123456789012:key/1234",
        },
        "base_domain": "dash.example.com",
        **changes,
    }


@pytest.fixture
def build(recorder: Recorder) -> Build:
    """Build a host named "b" of the arguments given. Returns its outputs."""
    # The address that the host begins with, and the one that it keeps.
    recorder.outputs["aws:ec2/instance:Instance"] = {"publicDns": "ec2-198-51-100-9.compute-1.amazonaws.com"}
    recorder.outputs["aws:ec2/eip:Eip"] = {
        "publicDns": "ec2-198-51-100-7.compute-1.amazonaws.com",
        "publicIp": "198.51.100.7",
    }
    recorder.outputs["aws:iam/role:Role"] = {"name": "b-host-role"}
    recorder.outputs["aws:iam/instanceProfile:InstanceProfile"] = {"name": "b-host-profile"}
    recorder.answers["aws:index/getCallerIdentity:getCallerIdentity"] = lambda _: {"accountId": "210987654321"}

    def build(**changes: Any) -> dict[str, Any]:
        recorder.registrations.clear()
        return recorder.run(lambda: BootstrapInstance("b", arguments(**changes)))

    return build


def one(recorder: Recorder, type: str) -> Registration:
    (found,) = recorder.of(type).values()
    return found


def decoded(user_data: str) -> str:
    """User data as the host sees it, packed files unpacked."""
    text = base64.b64decode(user_data).decode()
    files = json.loads(text.partition("\n")[2])["write_files"]
    unpacked = [
        gzip.decompress(base64.b64decode(file["content"])).decode("latin-1") if "encoding" in file else file["content"]
        for file in files
    ]
    return "\n".join([text, *unpacked])


def rules(recorder: Recorder, type: str) -> set[tuple[str, int, str, str]]:
    """Group, port, peer and description of each rule."""
    return {
        (
            rule.inputs["securityGroupId"],
            rule.inputs["fromPort"] if rule.inputs["fromPort"] == rule.inputs["toPort"] else -1,
            rule.inputs.get("cidrIpv4") or rule.inputs.get("cidrIpv6") or rule.inputs["referencedSecurityGroupId"],
            rule.inputs["description"],
        )
        for rule in recorder.of(type).values()
        if rule.inputs["ipProtocol"] == "tcp"
    }


# The host


def test_the_host_is_a_small_ubuntu_without_a_public_address(build: Build, recorder: Recorder) -> None:
    build()
    instance = one(recorder, "Instance").inputs
    assert instance == {
        "instanceType": "t3.micro",
        "launchTemplate": {"id": "b-host-id", "version": "$Latest"},
        "subnetId": "subnet-1",
        "vpcSecurityGroupIds": ["b-host-id"],
        "iamInstanceProfile": "b-host-profile",
        "associatePublicIpAddress": False,
        "tags": {"Name": "dash-enterprise-bootstrap"},
    }
    assert (
        one(recorder, "InstanceProfile").inputs["role"] == one(recorder, "RolePolicy").inputs["role"] == "b-host-role"
    )
    assert recorder.of("KeyPair") == {}


def test_its_launch_template_is_as_careful_as_that_of_the_nodes(build: Build, recorder: Recorder) -> None:
    build(ubuntu_release="22.04", disk_size_gib=30.0)
    template = one(recorder, "LaunchTemplate").inputs
    parameter = "/aws/service/canonical/ubuntu/server/22.04/stable/current/amd64/hvm/ebs-gp2/ami-id"
    assert template["imageId"] == f"resolve:ssm:{parameter}"
    assert template["metadataOptions"] == {
        "httpEndpoint": "enabled",
        "httpTokens": "required",
        "httpPutResponseHopLimit": 1,
    }
    ((disk,),) = [[mapping["ebs"] for mapping in template["blockDeviceMappings"]]]
    assert disk == {"volumeType": "gp3", "volumeSize": 30, "encrypted": "true", "deleteOnTermination": "true"}
    assert {spec["resourceType"] for spec in template["tagSpecifications"]} == {"volume", "network-interface"}


def test_nothing_new_in_the_launch_template_replaces_a_running_host(build: Build, recorder: Recorder) -> None:
    build()
    assert list(one(recorder, "Instance").request.ignoreChanges) == ["launchTemplate"]
    assert one(recorder, "Instance").request.deleteBeforeReplace
    before = one(recorder, "Instance").inputs
    build(ubuntu_release="22.04", run_installer=True, disk_size_gib=40)
    assert one(recorder, "Instance").inputs == before


def test_first_boot_begins_when_everything_it_uses_is_there(build: Build, recorder: Recorder) -> None:
    build()
    present = one(recorder, "Instance").dependencies
    needed = {
        found.key
        for type in (
            *("RolePolicy", "AccessPolicyAssociation", "BucketObjectv2", "LogGroup", "Parameter"),
            *("SecurityGroupIngressRule", "SecurityGroupEgressRule"),
        )
        for found in recorder.of(type).values()
    }
    assert len(needed) == 12
    assert needed - present == set()


def test_a_warning_is_given_for_a_release_past_its_support(build: Build, recorder: Recorder) -> None:
    build(ubuntu_release="20.04")
    assert ["20.04" in warning for warning in recorder.warnings] == [True]


# What it may do


def test_the_role_reads_exactly_what_is_delivered(build: Build, recorder: Recorder) -> None:
    build()
    policy = json.loads(one(recorder, "RolePolicy").inputs["policy"])
    resources = {statement["Sid"]: statement["Resource"] for statement in policy["Statement"]}
    files = "arn:aws:s3:::analytics-files"
    assert resources == {
        "ReadFiles": [
            f"{files}/install_de_aws.sh",
            f"{files}/bootstrap/kubeconfig",
            f"{files}/bootstrap/run_installer.py",
            f"{files}/bootstrap/next-steps.txt",
        ],
        "ReadSecrets": [
            f"{SECRET}/{name}-Ab12Cd" for name in ("license", "tls-certificate", "tls-private-key", "admin-password")
        ],
        "DecryptThroughTheirServices": "arn:aws:kms:us-east-1:123456789012:key/1234",
        "WriteOwnLog": "arn:aws:logs:us-east-1:123456789012:log-group:/analytics/bootstrap:*",
        "ReportStatus": "arn:aws:ssm:us-east-1:123456789012:parameter/analytics/bootstrap/status",
        "RegisterWithSystemsManager": "arn:aws:ec2:us-east-1:123456789012:instance/*",
        "SessionManager": "*",
    }
    trust = json.loads(one(recorder, "Role").inputs["assumeRolePolicy"])
    assert trust["Statement"][0]["Principal"] == {"Service": "ec2.amazonaws.com"}


def test_the_account_is_looked_up_where_it_is_not_given(build: Build, recorder: Recorder) -> None:
    build(account_id="")
    assert "arn:aws:logs:us-east-1:210987654321:" in one(recorder, "RolePolicy").inputs["policy"]


def test_it_administers_this_one_cluster(build: Build, recorder: Recorder) -> None:
    build()
    entry, association = one(recorder, "AccessEntry").inputs, one(recorder, "AccessPolicyAssociation").inputs
    assert entry["principalArn"] == association["principalArn"] == "arn:aws:mock:us-east-1:123456789012:b-host-id"
    assert entry["clusterName"] == association["clusterName"] == "analytics"
    assert association["policyArn"] == "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
    assert association["accessScope"] == {"type": "cluster"}


def test_the_access_entry_waits_for_the_cluster(recorder: Recorder) -> None:
    def program() -> BootstrapInstance:
        cluster = pulumi.CustomResource("test:index:ControlPlane", "control-plane", {})
        group = cluster.id.apply(lambda _: "sg-cluster")
        return BootstrapInstance("b", arguments(cluster={**arguments()["cluster"], "security_group_id": group}))

    recorder.run(program)
    assert "test:index:ControlPlane::control-plane" in one(recorder, "AccessEntry").dependencies


def test_the_host_waits_for_what_the_kubeconfig_waits_for(recorder: Recorder) -> None:
    def program() -> BootstrapInstance:
        nodes = pulumi.CustomResource("test:index:Nodes", "nodes", {})
        kubeconfig = nodes.id.apply(lambda _: KUBECONFIG)
        return BootstrapInstance("b", arguments(cluster={**arguments()["cluster"], "kubeconfig": kubeconfig}))

    recorder.run(program)
    file = recorder.of("BucketObjectv2")["b-kubeconfig"]
    assert "test:index:Nodes::nodes" in file.dependencies
    assert file.key in one(recorder, "Instance").dependencies


# Who may come in


def test_with_session_manager_nobody_comes_in(build: Build, recorder: Recorder) -> None:
    outputs = build()
    description = "Kubernetes API from dash-enterprise-bootstrap"
    assert rules(recorder, "SecurityGroupIngressRule") == {("sg-cluster", 443, "b-host-id", description)}
    assert [outputs[name] for name in ("public_dns", "ssh_command", "scp_command")] == ["", "", ""]


def test_it_goes_out_on_443_and_80_only(build: Build, recorder: Recorder) -> None:
    build()
    assert {(port, peer) for _, port, peer, _ in rules(recorder, "SecurityGroupEgressRule")} == {
        (443, "0.0.0.0/0"),
        (443, "::/0"),
        (80, "0.0.0.0/0"),
        (80, "::/0"),
    }
    assert len(recorder.of("SecurityGroupEgressRule")) == 4
    group = one(recorder, "SecurityGroup").inputs
    assert group["vpcId"] == "vpc-1"
    assert group["tags"] == {"Name": "dash-enterprise-bootstrap"}


def test_ssh_mode_is_as_in_the_guide(build: Build, recorder: Recorder) -> None:
    outputs = build(ssh=SSH)
    own = {rule[1:] for rule in rules(recorder, "SecurityGroupIngressRule") if rule[0] == "b-host-id"}
    assert own == {
        (22, "198.51.100.0/24", "SSH"),
        (8800, "198.51.100.0/24", "PortForwardAdminConsole"),
        (22, "2001:db8::/48", "SSH"),
        (8800, "2001:db8::/48", "PortForwardAdminConsole"),
    }
    key_pair, instance = one(recorder, "KeyPair").inputs, one(recorder, "Instance").inputs
    assert (key_pair["keyName"], key_pair["publicKey"]) == ("dash-enterprise-bootstrap_key", f"{PUBLIC_KEY} ada")
    assert instance["keyName"] == "dash-enterprise-bootstrap_key"
    assert instance["associatePublicIpAddress"] is True
    assert one(recorder, "Eip").inputs["instance"] == "b-host-id"
    dns, key = "ec2-198-51-100-7.compute-1.amazonaws.com", "-i ~/.ssh/dash-enterprise-bootstrap_key.pem"
    assert outputs["public_dns"] == dns
    assert outputs["ssh_command"] == f"ssh {key} ubuntu@{dns}"
    assert outputs["scp_command"] == f"scp {key} path/to/installation/plan/install_de_aws.sh ubuntu@{dns}:~"


def test_without_dns_names_in_the_vpc_ssh_takes_the_address(build: Build, recorder: Recorder) -> None:
    recorder.outputs["aws:ec2/instance:Instance"] = {"publicDns": ""}
    outputs = build(ssh={**SSH, "key_name": "other"})
    assert outputs["ssh_command"] == "ssh -i ~/.ssh/other.pem ubuntu@198.51.100.7"


def test_the_port_forward_listens_where_people_come_from(build: Build) -> None:
    for ssh, address in ((None, "127.0.0.1"), (SSH, "0.0.0.0")):
        outputs = build(**({"ssh": ssh} if ssh else {}))
        by_hand = f"kubectl port-forward -n plotly-system svc/kotsadm --address {address} 8800:3000"
        assert outputs["restart_port_forward_command"] == f"{RESTART}  # or by hand: {by_hand}"


def test_the_launch_template_knows_nothing_of_the_way_in(build: Build, recorder: Recorder) -> None:
    # After a refresh a replaced host begins with the template of the one before.
    build()
    template = one(recorder, "LaunchTemplate").inputs
    build(ssh=SSH)
    assert one(recorder, "LaunchTemplate").inputs == template


# What it is told


def test_first_boot_is_told_all_names(build: Build, recorder: Recorder) -> None:
    build(run_installer=True, installer_timeout_minutes=90.0, supporting_software=["istio"])
    told = decoded(one(recorder, "LaunchTemplate").inputs["userData"])
    expected = {
        "CLUSTER_NAME": "analytics",
        "AWS_DEFAULT_REGION": "us-east-1",
        "BASE_DOMAIN": "dash.example.com",
        "BUCKET": "analytics-files",
        "INSTALL_SCRIPT_KEY": "install_de_aws.sh",
        "LICENSE_SECRET_ARN": f"{SECRET}/license-Ab12Cd",
        "TLS_CERTIFICATE_SECRET_ARN": f"{SECRET}/tls-certificate-Ab12Cd",
        "TLS_PRIVATE_KEY_SECRET_ARN": f"{SECRET}/tls-private-key-Ab12Cd",
        "ADMIN_PASSWORD_SECRET_ARN": f"{SECRET}/admin-password-Ab12Cd",
        "STATUS_PARAMETER": "/analytics/bootstrap/status",
        "LOG_GROUP": "/analytics/bootstrap",
        "INSTALLER_TIMEOUT_MINUTES": "90",
        "SUPPORTING_SOFTWARE": "istio",
        "RUN_INSTALLER": "yes",
    }
    assert [f"{name}={value}" for name, value in expected.items() if f"{name}={value}\n" not in told] == []


def test_user_data_holds_no_secret_and_no_way_into_the_cluster(build: Build, recorder: Recorder) -> None:
    build(ssh=SSH, next_steps="first this, then that")
    told = decoded(one(recorder, "LaunchTemplate").inputs["userData"])
    assert "#cloud-config" in told
    for never in ("PRIVATE KEY", "the-kubeconfig-of-analytics", PUBLIC_KEY, "first this"):
        assert never not in told


@pytest.mark.parametrize("version", RELEASES)
def test_there_is_a_host_for_every_version_of_the_cluster(version: str, build: Build, recorder: Recorder) -> None:
    build(cluster={**arguments()["cluster"], "kubernetes_version": version})
    assert f"/release/v{version}." in decoded(one(recorder, "LaunchTemplate").inputs["userData"])


def test_the_rest_is_put_into_the_bucket(build: Build, recorder: Recorder) -> None:
    build(next_steps="first this, then that")
    objects = [found.inputs for found in recorder.of("BucketObjectv2").values()]
    assert {(found["bucket"], found["key"]): found["content"] for found in objects} == {
        ("analytics-files", "bootstrap/kubeconfig"): KUBECONFIG,
        ("analytics-files", "bootstrap/run_installer.py"): first_boot.run_installer_script(),
        ("analytics-files", "bootstrap/next-steps.txt"): "first this, then that",
    }


def test_without_next_steps_the_host_points_at_the_guide(build: Build, recorder: Recorder) -> None:
    build()
    assert "installation guide" in recorder.of("BucketObjectv2")["b-next-steps.txt"].inputs["content"]


def test_the_status_is_the_hosts_own_after_its_first_value(build: Build, recorder: Recorder) -> None:
    build()
    status = one(recorder, "Parameter")
    assert status.inputs["name"] == "/analytics/bootstrap/status"
    assert status.inputs["insecureValue"] == "waiting for first boot"
    assert list(status.request.ignoreChanges) == ["insecureValue"]


@pytest.mark.parametrize("known", [True, False])
def test_an_installer_that_is_not_delivered_cannot_run(known: bool, build: Build) -> None:
    key = "" if known else pulumi.Output.from_input("")
    installation = {**arguments()["installation"], "install_script_key": key}
    build(installation=installation)
    with pytest.raises(ValueError, match=r"run_installer = True: there is no install_de_aws\.sh"):
        build(installation=installation, run_installer=True)


# What people type


def test_commands_are_complete(build: Build) -> None:
    outputs = build()
    session = "aws ssm start-session --target b-host-id --region us-east-1"
    assert outputs["instance_id"] == "b-host-id"
    shell = "--document-name AWS-StartInteractiveCommand --parameters 'command=[\"sudo -iu ubuntu\"]'"
    assert outputs["connect_command"] == f"{session} {shell}"
    assert outputs["port_forward_command"] == (
        f"{session} --document-name AWS-StartPortForwardingSession --parameters portNumber=8800,localPortNumber=8800"
    )
    assert outputs["status_command"] == (
        "aws ssm get-parameter --name /analytics/bootstrap/status --query Parameter.Value --output text "
        "--region us-east-1"
    )
    assert outputs["status_parameter_name"] == "/analytics/bootstrap/status"
    assert outputs["log_group_name"] == "/analytics/bootstrap"
    assert outputs["security_group_id"] == "b-host-id"
    assert outputs["role_arn"] == "arn:aws:mock:us-east-1:123456789012:b-host-id"


# House rules


def test_every_resource_is_a_child_of_the_component_and_takes_none_of_its_options(recorder: Recorder) -> None:
    opts = pulumi.ResourceOptions(ignore_changes=["tags"], delete_before_replace=True)
    recorder.run(lambda: BootstrapInstance("b", arguments(ssh=SSH), opts))
    (component,) = recorder.of("BootstrapInstance").values()
    children = [found for found in recorder.registrations if found is not component]
    assert component.type == "eks-analytics:index:BootstrapInstance"
    assert {child.parent.split("$")[-1] for child in children} == {"eks-analytics:index:BootstrapInstance::b"}
    assert all(child.name.startswith("b-") for child in children)
    assert not any("tags" in child.request.ignoreChanges for child in children)
    once = {child.type.split(":")[-1] for child in children if child.request.deleteBeforeReplace}
    assert once == {"Instance", "KeyPair"}


def test_every_taggable_resource_carries_the_tags(build: Build, recorder: Recorder) -> None:
    build(ssh=SSH, tags={"team": "data"})
    untagged = {found.type.split(":")[-1] for found in recorder.registrations if "tags" not in found.inputs}
    assert untagged == UNTAGGABLE
    assert all(found.inputs.get("tags", {"team": "data"})["team"] == "data" for found in recorder.registrations)
    for spec in one(recorder, "LaunchTemplate").inputs["tagSpecifications"]:
        assert spec["tags"] == {"team": "data", "Name": "dash-enterprise-bootstrap"}


def test_what_cannot_work_is_refused_before_anything_is_registered(build: Build, recorder: Recorder) -> None:
    with pytest.raises(ValueError, match="bootstrap host 'b' cannot be built as asked") as refused:
        build(instance_type="t4g.micro", ssh={**SSH, "allowed_cidrs": ["0.0.0.0/0"]})
    assert "ARM" in str(refused.value)
    assert "Session Manager needs no open port" in str(refused.value)
    assert recorder.registrations == []


def test_numbers_may_come_as_floats(build: Build) -> None:
    with pytest.raises(ValueError, match="disk_size_gib = 7:"):
        build(disk_size_gib=7.0)


def test_the_component_has_a_schema_in_which_everything_is_described() -> None:
    analyzed = InheritingAnalyzer("eks-analytics").analyze([BootstrapInstance])
    component, types = analyzed["component_definitions"]["BootstrapInstance"], analyzed["type_definitions"]
    assert set(types) == {"BootstrapClusterArgs", "BootstrapInstallationArgs", "BootstrapSshArgs", "ToolArgs"}
    described = [component.inputs, component.outputs, *(definition.properties for definition in types.values())]
    assert all(item.description for properties in described for item in properties.values())
    assert component.description
    assert {name for name, item in component.inputs.items() if not item.optional} == {
        *("cluster", "region", "vpcId", "subnetId", "installation")
    }
