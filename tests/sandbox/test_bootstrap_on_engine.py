"""BootstrapInstance on the real engine: what AWS then holds, what keeps the host, and what of it stays: nothing."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from eks_analytics.bootstrap import BootstrapInstance
from sandbox.cloud import Cloud
from sandbox.knobs import Knobs
from sandbox.providers.aws import AwsProvider
from small_stack import Program, SmallStack

pytestmark = pytest.mark.engine

REGION = "eu-west-3"
CLUSTER = "dash-dev"
BUCKET = "dash-dev-files"
PREFIX = f"arn:aws:secretsmanager:{REGION}:123456789012:secret:{CLUSTER}/dash-enterprise"
KUBECONFIG = '{"kind": "Config", "current-context": "6f1e-kubeconfig"}'
TAGS = {"CostCenter": "42", "Name": "dash-enterprise-bootstrap"}


def public_key() -> str:
    key = rsa.generate_private_key(65537, 2048).public_key()
    return key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


SSH: dict[str, Any] = {"public_key": public_key(), "allowed_cidrs": ["198.51.100.0/24"]}


@dataclass(frozen=True)
class Place:
    """What a bootstrap host finds: a VPC, a cluster with its security group, a bucket."""

    cloud: Cloud
    vpc_id: str
    subnet_ids: tuple[str, str]
    cluster_group_id: str

    def client(self, service: str) -> Any:
        return self.cloud.client(service, REGION)

    def instances(self) -> list[dict[str, Any]]:
        found = self.client("ec2").describe_instances(
            Filters=[{"Name": "instance-state-name", "Values": ["running", "stopped"]}]
        )
        return [instance for one in found["Reservations"] for instance in one["Instances"]]

    def template(self) -> dict[str, Any]:
        """The newest version of the one launch template."""
        ec2 = self.client("ec2")
        (template,) = ec2.describe_launch_templates()["LaunchTemplates"]
        (version,) = ec2.describe_launch_template_versions(
            LaunchTemplateId=template["LaunchTemplateId"], Versions=["$Latest"]
        )["LaunchTemplateVersions"]
        return version["LaunchTemplateData"]

    def inbound(self, group_id: str) -> set[tuple[int, str]]:
        """Port and peer of every rule that lets something into a security group."""
        found = self.client("ec2").describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group_id]}])
        return {
            (rule["FromPort"], rule.get("CidrIpv4") or rule["ReferencedGroupInfo"]["GroupId"])
            for rule in found["SecurityGroupRules"]
            if not rule["IsEgress"]
        }


@pytest.fixture(scope="module")
def place(cloud: Cloud) -> Place:
    ec2 = cloud.client("ec2", REGION)
    vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc_id, CidrBlock=f"10.0.{number}.0/24")["Subnet"]["SubnetId"] for number in (1, 2)
    ]
    group = ec2.create_security_group(VpcId=vpc_id, GroupName="cluster", Description="cluster")["GroupId"]
    cloud.client("eks", REGION).create_cluster(
        name=CLUSTER,
        roleArn="arn:aws:iam::123456789012:role/cluster",
        resourcesVpcConfig={"subnetIds": subnets},
        accessConfig={"authenticationMode": "API"},
    )
    location: Any = {"LocationConstraint": REGION}
    cloud.client("s3", REGION).create_bucket(Bucket=BUCKET, CreateBucketConfiguration=location)
    return Place(cloud, vpc_id, (subnets[0], subnets[1]), group)


@pytest.fixture
def stack(cloud: Cloud, tmp_path: Path) -> Iterator[SmallStack]:
    stack = SmallStack(tmp_path, {"aws": AwsProvider(lambda: cloud, Knobs(), lambda _: None)})
    yield stack
    stack.destroy()


def program(place: Place, *, enabled: bool = True, **changes: Any) -> Program:
    """A program with one host, or with none of it; its outputs are the component's."""

    def run() -> None:
        provider = aws.Provider("emulated", region=REGION)
        aws.kms.Key("key", opts=pulumi.ResourceOptions(provider=provider))
        args: Any = {
            "cluster": {
                "name": CLUSTER,
                "kubernetes_version": "1.35",
                "security_group_id": place.cluster_group_id,
                "kubeconfig": KUBECONFIG,
            },
            "region": REGION,
            "vpc_id": place.vpc_id,
            "subnet_id": place.subnet_ids[0],
            "installation": {
                "bucket_name": BUCKET,
                "install_script_key": "install_de_aws.sh",
                "license_secret_arn": f"{PREFIX}/license-Ab12Cd",
                "tls_certificate_secret_arn": f"{PREFIX}/tls-certificate-Ab12Cd",
                "tls_private_key_secret_arn": f"{PREFIX}/tls-private-key-Ab12Cd",
                "admin_password_secret_arn": f"{PREFIX}/admin-password-Ab12Cd",
                "kms_key_arn": f"arn:aws:kms:{REGION}:123456789012:key/6f1e",
            },
            "tags": {"CostCenter": "42"},
            **changes,
        }
        if enabled:
            host = BootstrapInstance("main", args, pulumi.ResourceOptions(providers=[provider]))
            for output in BootstrapInstance.__annotations__:
                pulumi.export(output, getattr(host, output))

    return run


def test_aws_then_holds_a_host_that_nobody_reaches_but_session_manager(stack: SmallStack, place: Place) -> None:
    outputs = stack.up(program(place))
    (instance,) = place.instances()
    group_id = outputs["security_group_id"]
    assert instance["InstanceId"] == outputs["instance_id"]
    assert (instance["InstanceType"], instance["SubnetId"]) == ("t3.micro", place.subnet_ids[0])
    assert "PublicIpAddress" not in instance
    assert "KeyName" not in instance
    assert {tag["Key"]: tag["Value"] for tag in instance["Tags"]}.items() >= TAGS.items()
    assert [group["GroupId"] for group in instance["SecurityGroups"]] == [group_id]
    assert place.inbound(group_id) == set()
    assert place.inbound(place.cluster_group_id) == {(443, group_id)}
    (association,) = place.client("eks").list_associated_access_policies(
        clusterName=CLUSTER, principalArn=outputs["role_arn"]
    )["associatedAccessPolicies"]
    assert association["policyArn"] == "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
    status = place.client("ssm").get_parameter(Name=outputs["status_parameter_name"])["Parameter"]
    assert status["Value"] == "waiting for first boot"
    kubeconfig = place.client("s3").get_object(Bucket=BUCKET, Key="bootstrap/kubeconfig")["Body"].read().decode()
    assert kubeconfig == KUBECONFIG
    template = place.template()
    assert template["MetadataOptions"]["HttpTokens"] == "required"
    assert template["BlockDeviceMappings"][0]["Ebs"]["Encrypted"] is True
    user_data = base64.b64decode(template["UserData"]).decode()
    assert user_data.startswith("#cloud-config")
    assert KUBECONFIG not in user_data


def test_a_second_up_changes_nothing_whatever_the_host_reported(stack: SmallStack, place: Place) -> None:
    outputs = stack.up(program(place))
    place.client("ssm").put_parameter(
        Name=outputs["status_parameter_name"], Value="success: the Admin Console answers", Type="String", Overwrite=True
    )
    stack.up(program(place))
    assert set(stack.changes) == {"same"}
    stack.refresh()
    assert set(stack.preview(program(place))) == {"same"}, stack.actions()
    status = place.client("ssm").get_parameter(Name=outputs["status_parameter_name"])["Parameter"]
    assert status["Value"] == "success: the Admin Console answers"


def test_another_type_is_an_update_and_another_first_boot_none_of_the_host(stack: SmallStack, place: Place) -> None:
    before = stack.up(program(place))["instance_id"]
    stack.preview(program(place, instance_type="t3.small"))
    assert stack.actions() == {"main-host": "update"}
    assert stack.up(program(place, instance_type="t3.small"))["instance_id"] == before
    (instance,) = place.instances()
    assert instance["InstanceType"] == "t3.small"

    changes: dict[str, Any] = {
        "instance_type": "t3.small",
        "ubuntu_release": "22.04",
        "base_domain": "dash.example.com",
    }
    old = place.template()
    assert stack.up(program(place, **changes))["instance_id"] == before
    assert set(stack.changes) == {"same", "update"}
    assert place.template()["ImageId"] != old["ImageId"]
    assert place.template()["UserData"] != old["UserData"]
    stack.refresh()
    assert set(stack.preview(program(place, **changes))) == {"same"}, stack.actions()


def test_another_subnet_makes_a_new_host_of_the_newest_template(stack: SmallStack, place: Place) -> None:
    stack.up(program(place))
    stack.up(program(place, ubuntu_release="22.04"))
    (old,) = place.instances()
    stack.up(program(place, ubuntu_release="22.04", subnet_id=place.subnet_ids[1]))
    (new,) = place.instances()
    assert new["InstanceId"] != old["InstanceId"]
    assert new["SubnetId"] == place.subnet_ids[1]
    assert new["ImageId"] != old["ImageId"]


def test_ssh_mode_makes_a_new_host_with_a_key_a_public_address_and_two_open_ports(
    stack: SmallStack, place: Place
) -> None:
    before = stack.up(program(place))["instance_id"]
    outputs = stack.up(program(place, ssh=SSH))
    (instance,) = place.instances()
    assert instance["InstanceId"] != before
    assert instance["KeyName"] == "dash-enterprise-bootstrap_key"
    assert instance["PublicIpAddress"]
    assert place.inbound(outputs["security_group_id"]) == {(22, "198.51.100.0/24"), (8800, "198.51.100.0/24")}
    assert outputs["ssh_command"].endswith(f"ubuntu@{outputs['public_dns']}")
    stack.refresh()
    assert set(stack.preview(program(place, ssh=SSH))) == {"same"}, stack.actions()
    stack.up(program(place, ssh={**SSH, "allowed_cidrs": ["203.0.113.0/24"]}))
    assert place.inbound(outputs["security_group_id"]) == {(22, "203.0.113.0/24"), (8800, "203.0.113.0/24")}
    assert [found["InstanceId"] for found in place.instances()] == [instance["InstanceId"]]
    # A host that somebody stopped is neither replaced nor loses its address.
    ec2 = place.client("ec2")
    ec2.stop_instances(InstanceIds=[instance["InstanceId"]])
    stack.refresh()
    assert set(stack.preview(program(place, ssh={**SSH, "allowed_cidrs": ["203.0.113.0/24"]}))) == {"same"}
    ec2.start_instances(InstanceIds=[instance["InstanceId"]])
    # A host takes its key at first boot only.
    stack.preview(program(place, ssh={**SSH, "public_key": public_key()}))
    steps = [event.resource_pre_event.metadata for event in stack.events if event.resource_pre_event]
    assert "replace" in {step.op.value for step in steps if step.type == "aws:ec2/instance:Instance"}


def test_the_way_in_changes_after_a_refresh_too(stack: SmallStack, place: Place) -> None:
    before = stack.up(program(place))["instance_id"]
    stack.up(program(place, base_domain="dash.example.com"))  # of which the running host takes nothing
    stack.refresh()
    template = place.template()
    outputs = stack.up(program(place, base_domain="dash.example.com", ssh=SSH))
    (instance,) = place.instances()
    assert instance["InstanceId"] == outputs["instance_id"] != before
    assert instance["KeyName"] == "dash-enterprise-bootstrap_key"
    # What says on which address the host forwards the port is the key.
    assert place.template() == template
    assert "0.0.0.0" in outputs["restart_port_forward_command"]


def test_without_the_component_everything_of_it_goes_and_nothing_else_changes(stack: SmallStack, place: Place) -> None:
    outputs = stack.up(program(place, ssh=SSH))
    stack.up(program(place, enabled=False))
    assert set(stack.changes) == {"delete", "same"}
    assert {one["type"] for one in stack.resources()} == {
        "pulumi:pulumi:Stack",
        "pulumi:providers:aws",
        "aws:kms/key:Key",
    }
    ec2 = place.client("ec2")
    assert place.instances() == []
    assert place.inbound(place.cluster_group_id) == set()
    assert ec2.describe_key_pairs()["KeyPairs"] == []
    assert ec2.describe_addresses()["Addresses"] == []
    assert ec2.describe_launch_templates()["LaunchTemplates"] == []
    assert outputs["role_arn"] not in place.client("eks").list_access_entries(clusterName=CLUSTER)["accessEntries"]
    assert place.client("s3").list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0
    assert place.client("iam").list_roles()["Roles"] == []
    assert place.client("logs").describe_log_groups()["logGroups"] == []
