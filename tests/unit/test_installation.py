"""What a DashInstallation registers, what it refuses, and that nothing secret is in clear anywhere."""

import json
import re
from collections.abc import Callable
from typing import Any

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eks_analytics.installation import DashInstallation, DashInstallationArgs, another_domain, applied_domain
from eks_analytics.installation_checks import LONGEST_BUCKET_PREFIX, bucket_prefix
from eks_analytics.locks import refuse
from eks_analytics.schema import InheritingAnalyzer
from recording import Recorder, Registration

KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
SECRETS = {
    "license": "kind: License # 6f1e-license",
    "tls_certificate": "-----BEGIN CERTIFICATE----- 6f1e-chain",
    "tls_private_key": "-----BEGIN PRIVATE KEY----- 6f1e-key",
    "admin_password": "6f1e-password",
}
ROLES = {name: name.replace("_", "-") for name in SECRETS}
SCRIPT = """#!/bin/bash
CLUSTER_NAME="changeme"  # of the cluster
ADMIN_PASSWORD="6f1e-typed-in"
echo installing
"""
UNTAGGABLE = {
    *("DashInstallation", "SecretVersion", "BucketOwnershipControls", "BucketPublicAccessBlock", "BucketVersioning"),
    *("BucketServerSideEncryptionConfiguration", "BucketPolicy", "BucketLifecycleConfiguration", "BucketObjectv2"),
}
A_SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
Build = Callable[..., dict[str, Any]]


def installation_args(**changes: Any) -> DashInstallationArgs:
    """Everything that can be given; None leaves an argument out."""
    given = {"cluster_name": "dash-dev", "base_domain": "dash.example.com", "kms_key_arn": KEY, **SECRETS}
    args: Any = {**given, "install_script": SCRIPT, **changes}
    return {name: value for name, value in args.items() if value is not None}  # pyright: ignore[reportReturnType]  # tests give wrong values on purpose


@pytest.fixture
def build(recorder: Recorder) -> Build:
    """Build an installation named "main" of the arguments given. Returns its outputs."""
    recorder.outputs["aws:s3/bucket:Bucket"] = {"bucket": "dash-dev-1", "arn": "arn:aws:s3:::dash-dev-1"}

    def build(**changes: Any) -> dict[str, Any]:
        recorder.registrations.clear()
        return recorder.run(lambda: DashInstallation("main", installation_args(**changes)))

    return build


def only(recorder: Recorder, type: str) -> Registration:
    (found,) = recorder.of(type).values()
    return found


# Shape


def test_outputs_name_what_was_made(build: Build) -> None:
    arn = "arn:aws:mock:us-east-1:123456789012:main-{}-id"
    assert build() == {
        "base_domain": "dash.example.com",
        "bucket_name": "dash-dev-1",
        "bucket_arn": "arn:aws:s3:::dash-dev-1",
        "install_script_key": "install_de_aws.sh",
        **{f"{name}_secret_arn": arn.format(role) for name, role in ROLES.items()},
    }


def test_without_password_and_script_neither_is_made(build: Build, recorder: Recorder) -> None:
    outputs = build(admin_password=None, install_script=None)
    assert outputs["admin_password_secret_arn"] == outputs["install_script_key"] == ""
    assert set(recorder.of("Secret")) == {"main-license", "main-tls-certificate", "main-tls-private-key"}
    assert recorder.of("BucketObjectv2") == {}


def test_every_resource_is_a_child_of_the_component_and_takes_none_of_its_options(recorder: Recorder) -> None:
    opts = pulumi.ResourceOptions(ignore_changes=["tags"])
    recorder.run(lambda: DashInstallation("main", installation_args(), opts))
    component, *children = recorder.registrations
    assert component.type == "eks-analytics:index:DashInstallation"
    assert {child.parent.split("$")[-1] for child in children} == {"eks-analytics:index:DashInstallation::main"}
    assert not any(child.request.ignoreChanges for child in children)


def test_tags_reach_everything_that_takes_tags(build: Build, recorder: Recorder) -> None:
    build(tags={"CostCenter": "42"})
    untagged = {found.type.split(":")[-1] for found in recorder.registrations if "tags" not in found.inputs}
    assert untagged == UNTAGGABLE
    tags = [found.inputs["tags"] for found in recorder.registrations if "tags" in found.inputs]
    assert tags == [{"CostCenter": "42"}] * 6


def test_the_component_has_a_schema_in_which_everything_is_described() -> None:
    component = InheritingAnalyzer("eks-analytics").analyze([DashInstallation])["component_definitions"][
        "DashInstallation"
    ]
    described = [*component.inputs.items(), *component.outputs.items()]
    assert [name for name, found in described if not found.description] == []
    assert len([name for name, found in component.inputs.items() if not found.optional]) == 6
    assert not [name for name, found in component.outputs.items() if found.optional]


# Secrets


@pytest.mark.parametrize("given", [str, pulumi.Output.from_input, pulumi.Output.secret])
def test_contents_are_secret_however_they_are_given(
    build: Build, recorder: Recorder, given: Callable[[str], pulumi.Input[str]]
) -> None:
    build(**{name: given(content) for name, content in SECRETS.items()})
    found = {name: version.inputs["secretString"] for name, version in recorder.of("SecretVersion").items()}
    assert found == {f"main-{ROLES[name]}": {**A_SECRET, "value": content} for name, content in SECRETS.items()}


def test_nothing_secret_is_in_any_other_property(build: Build, recorder: Recorder) -> None:
    build()
    for found in recorder.registrations:
        clear = {name: value for name, value in found.inputs.items() if name != "secretString"}
        assert "6f1e" not in json.dumps([found.name, clear])


def test_secrets_are_named_after_the_cluster_and_encrypted_with_its_key(build: Build, recorder: Recorder) -> None:
    build()
    secrets = recorder.of("Secret")
    assert {secret.inputs["name"] for secret in secrets.values()} == {
        f"dash-dev/dash-enterprise/{role}" for role in ROLES.values()
    }
    assert {secret.inputs["kmsKeyId"] for secret in secrets.values()} == {KEY}


@pytest.mark.parametrize(("production", "days", "forced"), [(False, 0, True), (True, 30, False)])
def test_production_keeps_what_was_deleted(
    build: Build, recorder: Recorder, production: bool, days: int, forced: bool
) -> None:
    build(production=production)
    assert {secret.inputs["recoveryWindowInDays"] for secret in recorder.of("Secret").values()} == {days}
    assert only(recorder, "Bucket").inputs["forceDestroy"] is forced


# Bucket and script


def test_the_bucket_is_private_encrypted_versioned_and_forgets_old_versions(build: Build, recorder: Recorder) -> None:
    build()
    assert only(recorder, "Bucket").inputs["bucketPrefix"] == "dash-dev-"
    block = only(recorder, "BucketPublicAccessBlock").inputs
    assert {name for name, value in block.items() if value is True} == {
        *("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"),
    }
    assert only(recorder, "BucketOwnershipControls").inputs["rule"] == {"objectOwnership": "BucketOwnerEnforced"}
    (encryption,) = only(recorder, "BucketServerSideEncryptionConfiguration").inputs["rules"]
    assert encryption == {
        "applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": KEY},
        "bucketKeyEnabled": True,
    }
    assert only(recorder, "BucketVersioning").inputs["versioningConfiguration"] == {"status": "Enabled"}
    (statement,) = json.loads(only(recorder, "BucketPolicy").inputs["policy"])["Statement"]
    assert statement["Resource"] == ["arn:aws:s3:::dash-dev-1", "arn:aws:s3:::dash-dev-1/*"]
    (rule,) = only(recorder, "BucketLifecycleConfiguration").inputs["rules"]
    assert rule["noncurrentVersionExpiration"] == {"noncurrentDays": 90}
    assert rule["abortIncompleteMultipartUpload"] == {"daysAfterInitiation": 7}


def test_nothing_is_put_into_a_bucket_that_is_not_safe_yet(build: Build, recorder: Recorder) -> None:
    build()
    waited_for = {key.split("::")[0].split(":")[-1] for key in only(recorder, "BucketObjectv2").dependencies}
    assert waited_for >= {
        *("BucketOwnershipControls", "BucketPublicAccessBlock", "BucketServerSideEncryptionConfiguration"),
        *("BucketVersioning", "BucketPolicy"),
    }


@pytest.mark.parametrize("given", [str, pulumi.Output.from_input])
def test_the_script_has_its_variables_and_no_password(
    build: Build, recorder: Recorder, given: Callable[[str], pulumi.Input[str]]
) -> None:
    build(install_script=given(SCRIPT), script_variables={"CLUSTER_NAME": "dash dev"})
    content = only(recorder, "BucketObjectv2").inputs["content"]
    assert content == A_SECRET | {"value": content["value"]}
    assert content["value"] == (
        "#!/bin/bash\nCLUSTER_NAME='dash dev'  # of the cluster\n"
        "ADMIN_PASSWORD=__FROM_SECRETS_MANAGER__\necho installing\n"
    )


@pytest.mark.parametrize("given", [str, pulumi.Output.from_input])
def test_a_script_with_another_password_in_it_is_refused_when_it_is_known(
    build: Build, given: Callable[[str], pulumi.Input[str]]
) -> None:
    with pytest.raises(ValueError, match="gives ADMIN_PASSWORD a value in line 5 too") as refused:
        build(install_script=given(f"{SCRIPT}export ADMIN_PASSWORD=6f1e\n"))
    assert "6f1e" not in str(refused.value)


@pytest.mark.parametrize("given", [str, pulumi.Output.from_input])
def test_a_script_that_takes_the_variables_nowhere_is_refused_when_it_is_known(
    build: Build, given: Callable[[str], pulumi.Input[str]]
) -> None:
    with pytest.raises(ValueError, match="'REGION': is not assigned at the top"):
        build(install_script=given(SCRIPT), script_variables={"REGION": "us-east-1"})


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", fullmatch=True))
def test_every_cluster_name_makes_the_beginning_of_a_bucket_name(cluster_name: str) -> None:
    prefix = bucket_prefix(cluster_name)
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]*-", prefix)
    assert len(prefix) <= LONGEST_BUCKET_PREFIX


# Base domain


def hooked(recorder: Recorder) -> list[str]:
    return list(only(recorder, "Parameter").request.hooks.before_update)


def test_the_base_domain_is_kept_where_previews_show_it(build: Build, recorder: Recorder) -> None:
    build()
    inputs = only(recorder, "Parameter").inputs
    assert (inputs["name"], inputs["insecureValue"]) == ("/dash-dev/base-domain", "dash.example.com")
    assert "value" not in inputs


def test_an_update_of_the_base_domain_is_judged_unless_it_is_confirmed(build: Build, recorder: Recorder) -> None:
    build()
    assert hooked(recorder) == ["main-base-domain"]
    build(confirm_base_domain_change=True)
    assert hooked(recorder) == []


def test_what_carries_the_base_domain_waits_for_the_verdict(build: Build, recorder: Recorder) -> None:
    build()
    domain = only(recorder, "Parameter").key
    waiting = [*recorder.of("SecretVersion").values(), only(recorder, "BucketObjectv2")]
    assert all(domain in found.dependencies for found in waiting)


def update(old: str, new: str) -> pulumi.ResourceHookArgs:
    return pulumi.ResourceHookArgs(
        "urn", "id", "name", "type", old_inputs={"insecureValue": old}, new_inputs={"insecureValue": new}
    )


refuse_another_domain = refuse(applied_domain, another_domain)


def test_another_domain_is_refused_with_what_to_do() -> None:
    with pytest.raises(
        ValueError, match=r"base_domain = 'new\.example\.com': old\.example\.com was applied"
    ) as refused:
        refuse_another_domain(update("old.example.com", "new.example.com"))
    assert "the vendor must support" in str(refused.value)
    assert "dash_enterprise.confirm_base_domain_change: true" in str(refused.value)


def test_other_changes_of_its_parameter_pass() -> None:
    refuse_another_domain(update("dash.example.com", "dash.example.com"))


# Problems


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"cluster_name": ""}, ["cluster_name = ''", "is no name of an EKS cluster"]),
        ({"cluster_name": "dash.dev"}, ["cluster_name = 'dash.dev'"]),
        ({"cluster_name": "AWS-dash"}, ["begins with aws or ssm", "put another word in front"]),
        ({"cluster_name": "ssm"}, ["begins with aws or ssm"]),
        ({"cluster_name": "xn--dash"}, ["that S3 keeps for itself"]),
        ({"base_domain": "https://dash.example.com"}, ["base_domain = 'https://dash.example.com'", "no scheme"]),
        ({"base_domain": "dash"}, ["base_domain = 'dash'"]),
        ({"base_domain": "Dash.example.com"}, ["small letters"]),
        ({"base_domain": "10.0.0.1"}, ["base_domain = '10.0.0.1'"]),
        ({"license": " "}, ["license = '': is empty"]),
        ({"tls_certificate": "6f1e" * 20_000}, ["tls_certificate = '80000 bytes': is larger than 65536 bytes"]),
        ({"script_variables": {"ADMIN_PASSWORD": "6f1e"}}, ["'ADMIN_PASSWORD': is a secret"]),
        ({"script_variables": {"REGION": "6f1e"}}, ["use one that is: CLUSTER_NAME"]),
        ({"script_variables": {"CLUSTER_NAME": "6f1e"}, "install_script": None}, ["has no install_script"]),
        ({"install_script": "#!/bin/bash\nA=1\n"}, ["assigns no ADMIN_PASSWORD"]),
        ({"install_script": "6f1e"}, ["does not begin with #!"]),
        ({"tags": {"Name": "x"}}, ["tags = 'Name'"]),
    ],
)
def test_a_wrong_argument_is_refused_with_what_to_do_and_without_a_secret(
    recorder: Recorder, changes: dict[str, Any], words: list[str]
) -> None:
    with pytest.raises(ValueError, match="installation 'main' cannot be built as asked") as refused:
        recorder.run(lambda: DashInstallation("main", installation_args(**changes)))
    assert all(word in str(refused.value) for word in words), str(refused.value)
    assert "6f1e" not in str(refused.value)
    assert recorder.registrations == []


def test_all_problems_are_reported_at_once(recorder: Recorder) -> None:
    with pytest.raises(ValueError, match="cluster_name") as refused:
        recorder.run(
            lambda: DashInstallation("main", installation_args(cluster_name="aws", base_domain="x", license=""))
        )
    assert str(refused.value).count("\n  - ") == 3


@pytest.mark.parametrize("name", ["dash-dev", "Dash_1", "0", "laws"])
def test_other_cluster_names_are_fine(build: Build, name: str) -> None:
    assert build(cluster_name=name)["base_domain"] == "dash.example.com"
