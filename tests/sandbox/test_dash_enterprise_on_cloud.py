"""Dash Enterprise on the embedded cloud: what AWS holds after `make up`, and what changes of settings do to it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from environments import PROJECT, Environment, MakeEnvironment
from sandbox import demo_files
from settings.placeholders import PLACEHOLDER
from tests.unit.test_settings import RSA_KEY

BALANCER = "ad52abddab74e44c98bcf129f5d0a230-d7906cbe482b8075.elb.us-east-1.amazonaws.com"
OTHER_DOMAIN = "analytics.dev.example.com"
SECRETS = {
    "license": "license.yaml",
    "tls-certificate": "fullchain.pem",
    "tls-private-key": "privkey.pem",
}


@pytest.fixture(scope="module")
def applied(environment: MakeEnvironment) -> Environment:
    dev = environment("dev")
    dev.run("up", "--yes")
    return dev


@pytest.fixture
def dash(applied: Environment) -> Iterator[dict[str, Any]]:
    """The settings of Dash Enterprise, for a test to change."""
    before = json.dumps(applied["dash_enterprise"])
    yield applied["dash_enterprise"]
    applied["dash_enterprise"] = json.loads(before)


def _content(name: str) -> str:
    return (PROJECT / "demo" / "dev" / name).read_text()


def _secret(applied: Environment, role: str) -> dict[str, Any]:
    return applied.client("secretsmanager").get_secret_value(SecretId=f"dash-dev/dash-enterprise/{role}")


def _bucket(applied: Environment) -> str:
    names = [bucket["Name"] for bucket in applied.client("s3").list_buckets()["Buckets"]]
    (name,) = [one for one in names if one.startswith("dash-dev-") and "-backups-" not in one]
    return name


def _host(applied: Environment) -> dict[str, Any]:
    alive = {"Name": "instance-state-name", "Values": ["pending", "running", "stopped"]}
    (reservation,) = applied.client("ec2").describe_instances(Filters=[alive])["Reservations"]
    return reservation["Instances"][0]


def test_secrets_manager_holds_license_chain_key_and_password_under_the_environments_key(applied: Environment) -> None:
    for role, file in SECRETS.items():
        assert _secret(applied, role)["SecretString"] == _content(file)
    assert _secret(applied, "admin-password")["SecretString"] == PLACEHOLDER
    key = applied.outputs()["kms_key_arn"]
    described = applied.client("secretsmanager").list_secrets()["SecretList"]
    assert len(described) == 4
    assert {secret["KmsKeyId"] for secret in described} == {key}


def test_the_bucket_is_private_encrypted_versioned_and_takes_tls_only(applied: Environment) -> None:
    s3, bucket = applied.client("s3"), _bucket(applied)
    blocked = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert set(blocked.values()) == {True}
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    (rule,) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    encryption = rule["ApplyServerSideEncryptionByDefault"]
    assert encryption == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": applied.outputs()["kms_key_arn"]}
    (statement,) = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    owner = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    assert owner == [{"ObjectOwnership": "BucketOwnerEnforced"}]


def test_the_installer_is_delivered_with_its_variables_and_without_the_password(
    applied: Environment, dash: dict[str, Any]
) -> None:
    dash["script_variables"] = {"STORAGE_CLASS": "it's gp3"}
    changed = applied.run("up", "--yes").counts()
    assert changed.get("updated") == 1
    assert not {"created", "replaced", "deleted"} & set(changed)
    script = applied.client("s3").get_object(Bucket=_bucket(applied), Key="install_de_aws.sh")["Body"].read().decode()
    assert "STORAGE_CLASS='it'\"'\"'s gp3'" in script
    assert "ADMIN_PASSWORD=__FROM_SECRETS_MANAGER__" in script


def test_the_host_is_private_and_reached_through_session_manager_only(applied: Environment) -> None:
    ec2, host = applied.client("ec2"), _host(applied)
    assert {"Key": "Name", "Value": "dash-enterprise-bootstrap"} in host["Tags"]
    assert host["InstanceType"] == "t3.micro"
    assert "PublicIpAddress" not in host or not host["PublicIpAddress"]
    assert host["SubnetId"] == applied.outputs()["private_subnet_ids"][0]
    (group,) = host["SecurityGroups"]
    rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group["GroupId"]]}])
    assert [rule for rule in rules["SecurityGroupRules"] if not rule["IsEgress"]] == []
    cluster_group = applied.outputs()["cluster_security_group_id"]
    rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [cluster_group]}])
    let_in = [
        (rule["FromPort"], rule["ToPort"])
        for rule in rules["SecurityGroupRules"]
        if rule.get("ReferencedGroupInfo", {}).get("GroupId") == group["GroupId"]
    ]
    assert let_in == [(443, 443)]


def test_its_launch_template_asks_for_imdsv2_encryption_and_the_newest_ubuntu(applied: Environment) -> None:
    ec2 = applied.client("ec2")
    versions = ec2.describe_launch_template_versions(Versions=["$Latest"])["LaunchTemplateVersions"]
    data = next(
        version["LaunchTemplateData"]
        for version in versions
        if "canonical" in version["LaunchTemplateData"].get("ImageId", "")
    )
    assert data["ImageId"] == (
        "resolve:ssm:/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id"
    )
    assert data["MetadataOptions"]["HttpTokens"] == "required"
    assert data["BlockDeviceMappings"][0]["Ebs"]["Encrypted"] is True


def test_the_hosts_role_administers_this_cluster_and_reads_exactly_its_own_files(applied: Environment) -> None:
    eks, iam = applied.client("eks"), applied.client("iam")
    entries = eks.list_access_entries(clusterName="dash-dev")["accessEntries"]
    (arn,) = [entry for entry in entries if "dash-dev-host" in entry]
    role = arn.rpartition("/")[2]
    associated = eks.list_associated_access_policies(clusterName="dash-dev", principalArn=arn)
    (policy,) = associated["associatedAccessPolicies"]
    assert policy["policyArn"].endswith("AmazonEKSClusterAdminPolicy")
    assert iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"] == []
    (name,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    statements = {statement["Sid"]: statement for statement in document["Statement"]}
    secrets = applied.client("secretsmanager").list_secrets()["SecretList"]
    assert set(statements["ReadSecrets"]["Resource"]) == {secret["ARN"] for secret in secrets}
    keys = {file["Key"] for file in applied.client("s3").list_objects_v2(Bucket=_bucket(applied))["Contents"]}
    assert {path.partition("/")[2] for path in statements["ReadFiles"]["Resource"]} == keys


def test_nothing_secret_is_in_outputs_logs_state_or_user_data(applied: Environment) -> None:
    shown = applied.run("up", "--yes").output + applied.run("outputs").output + applied.run("preview").output
    needles = [PLACEHOLDER.encode()]
    for file in ("license.yaml", "privkey.pem"):
        lines = [line for line in _content(file).splitlines() if line and not line.startswith("-----")]
        needles += [max(lines, key=len).strip().encode()]
    needles.append(_content("license.yaml").split("customerName: ")[1].splitlines()[0].encode())
    kept = {path: path.read_bytes() for path in applied.home.rglob("*") if path.is_file()}
    assert any(path.name.endswith(".json") and "stacks" in path.parts for path in kept)
    versions = applied.client("ec2").describe_launch_template_versions(Versions=["$Latest"])
    told = {"the output": shown.encode(), "launch templates": json.dumps(versions, default=str).encode()}
    for where, content in {**kept, **told}.items():
        for needle in needles:
            assert needle not in content, where


def test_a_second_update_changes_nothing(applied: Environment) -> None:
    assert "unchanged: 0 changes" in applied.run("up", "--yes").output


def test_what_the_host_reports_is_not_overwritten(applied: Environment) -> None:
    ssm = applied.client("ssm")
    name = "/dash-dev/bootstrap/status"
    assert ssm.get_parameter(Name=name)["Parameter"]["Value"] == "waiting for first boot"
    ssm.put_parameter(Name=name, Value="installed", Type="String", Overwrite=True)
    applied.run("refresh")
    assert "unchanged: 0 changes" in applied.run("up", "--yes").output
    assert ssm.get_parameter(Name=name)["Parameter"]["Value"] == "installed"
    ssm.put_parameter(Name=name, Value="waiting for first boot", Type="String", Overwrite=True)
    applied.run("refresh")


def test_a_larger_host_is_the_same_host(applied: Environment, dash: dict[str, Any]) -> None:
    before = _host(applied)["InstanceId"]
    dash["bootstrap"] = {"instance_type": "t3.small"}
    assert applied.run("up", "--yes").counts()["updated"] == 1
    assert (_host(applied)["InstanceId"], _host(applied)["InstanceType"]) == (before, "t3.small")


def test_another_ubuntu_never_replaces_a_running_host(applied: Environment, dash: dict[str, Any]) -> None:
    before = _host(applied)["InstanceId"]
    dash["bootstrap"] = {"ubuntu_release": "22.04"}
    applied.run("up", "--yes")
    assert _host(applied)["InstanceId"] == before


def test_a_renewed_certificate_is_an_update_of_two_secrets(
    applied: Environment, dash: dict[str, Any], tmp_path: Path
) -> None:
    dash |= _files(tmp_path, dash["base_domain"])
    counts = applied.run("up", "--yes").counts()
    assert not {"created", "deleted"} & set(counts), counts
    assert _secret(applied, "tls-private-key")["SecretString"] == (tmp_path / "demo" / "privkey.pem").read_text()


def test_removing_the_host_removes_its_key_and_its_access_and_nothing_else(
    applied: Environment, dash: dict[str, Any]
) -> None:
    applied.run("up", "--yes")
    host = {r["urn"] for r in applied.state() if "BootstrapInstance" in r["urn"]}
    others = {r["urn"] for r in applied.state()} - host
    dash["bootstrap"] = {"enabled": False}
    counts = applied.run("up", "--yes").counts()
    assert set(counts) == {"deleted", "unchanged"}
    assert {r["urn"] for r in applied.state()} == others
    assert not [
        e for e in applied.client("eks").list_access_entries(clusterName="dash-dev")["accessEntries"] if "host" in e
    ]
    assert applied.outputs()["port_forward_command"] == ""


def test_ssh_is_the_guides_key_pair_and_ports_for_named_networks(applied: Environment, dash: dict[str, Any]) -> None:
    dash["bootstrap"] = {"ssh": {"public_key": RSA_KEY, "allowed_cidrs": ["203.0.113.0/24"]}}
    applied.policies = True
    assert "dash-dev-host (aws.ec2.Instance): asks for a public address" in applied.run("preview", code=1).output
    applied["policies"] = {"parameters": {"refuse-public-addresses": {"declared": ["dash-dev-host"]}}}
    applied.run("up", "--yes")
    applied.policies = False
    host, ec2 = _host(applied), applied.client("ec2")
    assert host["KeyName"] == "dash-enterprise-bootstrap_key"
    assert host["SubnetId"] == applied.outputs()["public_subnet_ids"][0]
    rules = ec2.describe_security_group_rules(
        Filters=[{"Name": "group-id", "Values": [host["SecurityGroups"][0]["GroupId"]]}]
    )["SecurityGroupRules"]
    let_in = {(r["FromPort"], r["CidrIpv4"], r.get("Description")) for r in rules if not r["IsEgress"]}
    assert let_in == {(22, "203.0.113.0/24", "SSH"), (8800, "203.0.113.0/24", "PortForwardAdminConsole")}
    assert applied.outputs()["ssh_command"].startswith("ssh -i ~/.ssh/dash-enterprise-bootstrap_key.pem ubuntu@")


def test_seven_records_come_with_the_load_balancer_and_the_base_record_goes_for_a_restore(
    applied: Environment, dash: dict[str, Any]
) -> None:
    route53 = applied.client("route53")
    zone = route53.create_hosted_zone(Name="example.com", CallerReference="test")["HostedZone"]["Id"].split("/")[-1]

    def records() -> dict[str, str]:
        found = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
        return {r["Name"]: r["ResourceRecords"][0]["Value"] for r in found if r["Type"] == "CNAME"}

    dash["dns"] = {"hosted_zone_id": zone, "hosted_zone_name": "example.com"}
    applied.run("up", "--yes")
    assert records() == {}
    assert any("dns discover" in line for line in applied.outputs()["next_steps"])
    dash["dns"]["load_balancer_hostname"] = BALANCER
    assert applied.run("up", "--yes").counts()["created"] == 7
    base = "dash.dev.example.com."
    assert records() == {base: f"{BALANCER}."} | {
        f"{prefix}-{base}": base for prefix in ("api", "ws", "git", "registry", "auth", "admin")
    }
    dash["dns"]["base_record"] = False
    assert applied.run("up", "--yes").counts()["deleted"] == 1
    assert base not in records()
    assert len(records()) == 6


def test_another_base_domain_is_refused_until_it_is_confirmed(
    applied: Environment, dash: dict[str, Any], tmp_path: Path
) -> None:
    dash |= _files(tmp_path, OTHER_DOMAIN)
    for verb in ("preview", "up"):
        refused = applied.run(verb, code=1).output
        assert "dash.dev.example.com was applied before" in refused
        assert "confirm_base_domain_change: true" in refused
    assert _secret(applied, "tls-private-key")["SecretString"] == _content("privkey.pem")
    dash["confirm_base_domain_change"] = True
    applied.run("up", "--yes")
    assert applied.outputs()["admin_url"] == f"https://admin-{OTHER_DOMAIN}"
    assert _secret(applied, "tls-private-key")["SecretString"] != _content("privkey.pem")


def test_the_dns_firewall_watches_over_the_list_that_is_an_output(applied: Environment, dash: dict[str, Any]) -> None:
    dash["confirm_base_domain_change"] = True  # the test before this one
    dash["egress"] = {"mode": "dns-firewall"}
    applied.run("up", "--yes")
    inputs = [
        r["inputs"]
        for r in applied.state()
        if r["type"] == "aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList"
    ]
    listed = {domain for one in inputs for domain in one["domains"]}
    shown = {row["name"] for row in applied.outputs()["allowed_domains"]}
    assert shown <= {domain.rstrip(".") for domain in listed}
    assert "registry-dash.dev.example.com" in shown


def test_at_the_end_nothing_is_left_but_the_key_that_waits_for_its_deletion(applied: Environment) -> None:
    tags = {"kubernetes.io/cluster/dash-dev": "owned", "ebs.csi.aws.com/cluster": "true"}  # as the EBS driver tags them
    volume = applied.client("ec2").create_volume(
        AvailabilityZone="us-east-1a",
        Size=8,
        TagSpecifications=[
            {"ResourceType": "volume", "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
        ],
    )["VolumeId"]
    output = applied.run("down", "--yes").output
    drained, deleted = "No load balancer of the cluster dash-dev is left", f"Deleting volume {volume} (8 GiB)."
    assert 0 < output.index(drained) < output.index(deleted)
    left = output[output.index("Destroyed:") :].splitlines()[1:]
    assert len(left) == 1, left
    assert "aws:kms/key:Key (pending deletion)" in left[0]


def _files(folder: Path, base_domain: str) -> dict[str, str]:
    """A chain for that domain by a demo authority of its own."""
    stack = folder / "stack.yaml"
    names = {"tls_certificate_file": "demo/fullchain.pem", "tls_private_key_file": "demo/privkey.pem"}
    stack.write_text(yaml.safe_dump({"config": {"x:dash_enterprise": {"base_domain": base_domain, **names}}}))
    demo_files.ensure(folder, stack, lambda _: None)
    settings = {key: str(folder / name) for key, name in names.items()}
    return {**settings, "base_domain": base_domain, "tls_trust_store_file": str(folder / "demo" / "ca.pem")}
