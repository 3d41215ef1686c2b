"""DashInstallation on the real engine: what AWS then holds, and that another base domain is refused."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest
from pulumi.automation.errors import CommandError

from eks_analytics.installation import DashInstallation
from sandbox.cloud import Cloud
from sandbox.knobs import Knobs
from sandbox.providers.aws import AwsProvider
from small_stack import Program, SmallStack

pytestmark = pytest.mark.engine

REGION = "eu-west-3"
NAME = "dash-dev/dash-enterprise"
SCRIPT = '#!/bin/bash\nexport CLUSTER_NAME="changeme"  # yours\nADMIN_PASSWORD="changeme"\necho "$CLUSTER_NAME"\n'
SECRETS = {
    "license": "kind: License # 6f1e-license",
    "tls_certificate": "-----BEGIN CERTIFICATE-----\n6f1e-chain",
    "tls_private_key": "-----BEGIN PRIVATE KEY-----\n6f1e-key",
    "admin_password": "6f1e-p4ss 'word\"",
}


@pytest.fixture
def stack(cloud: Cloud, tmp_path: Path) -> Iterator[SmallStack]:
    stack = SmallStack(tmp_path, {"aws": AwsProvider(lambda: cloud, Knobs(), lambda _: None)})
    yield stack
    stack.destroy()


def program(**changes: Any) -> Program:
    """A program with one installation; its outputs are the component's."""

    def run() -> None:
        emulated = aws.Provider("emulated", region=REGION)
        key = aws.kms.Key("key", opts=pulumi.ResourceOptions(provider=emulated))
        args: Any = {
            "cluster_name": "dash-dev",
            "base_domain": "dash.example.com",
            "kms_key_arn": key.arn,
            "install_script": SCRIPT,
            "script_variables": {"CLUSTER_NAME": "it's dash-dev"},
            "tags": {"CostCenter": "42"},
            **SECRETS,
            **changes,
        }
        installation = DashInstallation("main", args, pulumi.ResourceOptions(providers=[emulated]))
        for output in DashInstallation.__annotations__:
            pulumi.export(output, getattr(installation, output))

    return run


def secret_values(cloud: Cloud) -> dict[str, str]:
    """What Secrets Manager returns, by the last part of the name."""
    secrets = cloud.client("secretsmanager", REGION)
    names = [secret["Name"] for secret in secrets.list_secrets()["SecretList"]]
    return {name.removeprefix(f"{NAME}/"): secrets.get_secret_value(SecretId=name)["SecretString"] for name in names}


def base_domain(cloud: Cloud) -> str:
    return cloud.client("ssm", REGION).get_parameter(Name="/dash-dev/base-domain")["Parameter"]["Value"]


def test_aws_holds_what_the_installer_needs_and_the_state_holds_no_secret(stack: SmallStack, cloud: Cloud) -> None:
    outputs = stack.up(program())
    assert set(stack.preview(program())) == {"same"}
    assert set(stack.refresh()) == {"same"}

    assert secret_values(cloud) == {name.replace("_", "-"): content for name, content in SECRETS.items()}
    described = cloud.client("secretsmanager", REGION).describe_secret(SecretId=outputs["license_secret_arn"])
    assert described["KmsKeyId"] == stack.resource("key")["outputs"]["arn"]
    assert described["Tags"] == [{"Key": "CostCenter", "Value": "42"}]
    assert base_domain(cloud) == "dash.example.com"

    s3, bucket = cloud.client("s3", REGION), {"Bucket": outputs["bucket_name"]}
    assert outputs["bucket_name"].startswith("dash-dev-")
    script = s3.get_object(**bucket, Key=outputs["install_script_key"])
    assert script["Body"].read().decode() == (
        "#!/bin/bash\nexport CLUSTER_NAME='it'\"'\"'s dash-dev'  # yours\n"
        'ADMIN_PASSWORD=__FROM_SECRETS_MANAGER__\necho "$CLUSTER_NAME"\n'
    )
    assert s3.get_bucket_versioning(**bucket)["Status"] == "Enabled"
    (rule,) = s3.get_bucket_encryption(**bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert set(s3.get_public_access_block(**bucket)["PublicAccessBlockConfiguration"].values()) == {True}
    (statement,) = json.loads(s3.get_bucket_policy(**bucket)["Policy"])["Statement"]
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}

    files = [file for file in stack.folder.rglob("*") if file.is_file()]
    assert any(file.name == "test.json" for file in files)
    assert [file for file in files if b"6f1e" in file.read_bytes()] == []


def test_a_renewed_file_changes_the_version_and_never_the_secret(stack: SmallStack, cloud: Cloud) -> None:
    before = stack.up(program())
    renewed = program(tls_certificate="-----BEGIN CERTIFICATE-----\n6f1e-renewed")
    stack.preview(renewed)
    assert set(stack.actions()) == {"main-tls-certificate"}
    assert stack.up(renewed) == before
    assert secret_values(cloud)["tls-certificate"] == "-----BEGIN CERTIFICATE-----\n6f1e-renewed"


def test_another_base_domain_is_refused_until_it_is_confirmed(stack: SmallStack, cloud: Cloud) -> None:
    stack.up(program())
    moved = {"base_domain": "analytics.example.com", "tls_certificate": "6f1e-of-the-new-domain"}
    for command in (stack.preview, stack.up):
        with pytest.raises(
            CommandError, match=r"base_domain = 'analytics\.example\.com': dash\.example\.com was applied"
        ):
            command(program(**moved))
        assert base_domain(cloud) == "dash.example.com"
        assert secret_values(cloud)["tls-certificate"] == SECRETS["tls_certificate"]

    outputs = stack.up(program(**moved, confirm_base_domain_change=True))
    assert outputs["base_domain"] == base_domain(cloud) == "analytics.example.com"
    assert secret_values(cloud)["tls-certificate"] == "6f1e-of-the-new-domain"
    # Without the confirmation, the new domain is now the one that is kept.
    assert set(stack.preview(program(**moved))) == {"same"}


def test_other_changes_beside_the_base_domain_are_no_matter(stack: SmallStack, cloud: Cloud) -> None:
    stack.up(program())
    stack.up(program(tags={"CostCenter": "43"}))
    ssm = cloud.client("ssm", REGION)
    tags = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId="/dash-dev/base-domain")["TagList"]
    assert tags == [{"Key": "CostCenter", "Value": "43"}]


def test_a_destroy_needs_no_program_and_leaves_nothing(stack: SmallStack, cloud: Cloud) -> None:
    stack.up(program())
    stack.destroy()
    assert stack.resources() == []
    assert secret_values(cloud) == {}
    assert cloud.client("s3", REGION).list_buckets()["Buckets"] == []
    assert cloud.client("ssm", REGION).describe_parameters()["Parameters"] == []
