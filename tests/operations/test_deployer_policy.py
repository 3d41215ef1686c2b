"""`python -m operations deployer-policy`: JSON and nothing else on standard output, what to know on standard error."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from operations import PROJECT
from operations.__main__ import app

ACCOUNT = "210987654321"


class Configuration:
    """The example stack, in a file of its own to change."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "Pulumi.dev.yaml"
        self.config: dict[str, Any] = yaml.safe_load((PROJECT / "Pulumi.dev.yaml").read_text())["config"]

    def __getitem__(self, key: str) -> Any:
        return self.config[f"eks-analytics:{key}"]

    def __setitem__(self, key: str, value: object) -> None:
        self.config[f"eks-analytics:{key}"] = value

    def run(self, *options: str, more: str = "") -> Result:
        self.file.write_text(yaml.safe_dump({"config": self.config}) + more)
        arguments = ["deployer-policy", "--stack", "dev", "--config-file", str(self.file), *options]
        return CliRunner().invoke(app, arguments)

    def policy(self, *options: str, more: str = "") -> dict[str, Any]:
        done = self.run(*options, more=more)
        assert done.exit_code == 0, done.stderr
        return json.loads(done.stdout)

    def refusal(self, *options: str, more: str = "") -> str:
        done = self.run(*options, more=more)
        assert done.exit_code == 1
        assert done.stdout == ""
        return done.stderr


@pytest.fixture
def stack(tmp_path: Path) -> Configuration:
    return Configuration(tmp_path)


def actions(document: dict[str, Any]) -> set[str]:
    return {action for statement in document["Statement"] for action in statement["Action"]}


@pytest.mark.parametrize("name", ["dev", "prod"])
@pytest.mark.parametrize("options", [(), ("--vendor",), ("--creation",), ("--part", "1")])
def test_the_example_stacks_have_policies_with_json_alone_on_standard_output(name: str, options: tuple[str]) -> None:
    done = CliRunner().invoke(app, ["deployer-policy", "--stack", name, *options])
    assert done.exit_code == 0
    assert json.loads(done.stdout)["Version"] == "2012-10-17"
    assert done.stderr.startswith("note: ")


def test_the_stacks_tags_account_and_names_are_in_it(stack: Configuration) -> None:
    stack["cluster_name"] = "analytics"
    text = json.dumps(stack.policy())
    assert '"aws:RequestTag/project": "eks-analytics", "aws:RequestTag/stack": "dev"' in text
    assert "arn:aws:iam::123456789012:role/analytics-*" in text
    assert "dash-dev" not in text


def test_the_account_may_be_given_and_goes_before_the_setting(stack: Configuration) -> None:
    text = json.dumps(stack.policy("--account", ACCOUNT))
    assert ACCOUNT in text
    assert "123456789012" not in text


def test_without_an_account_it_says_how_to_name_one(stack: Configuration) -> None:
    del stack.config["eks-analytics:account_id"]
    refusal = " ".join(stack.refusal().split())
    assert "give its id as --account, or set eks-analytics:account_id" in refusal
    assert ACCOUNT in json.dumps(stack.policy("--account", ACCOUNT))


@pytest.mark.parametrize("account", ["12345", "12345678901x", "1234567890123"])
def test_what_is_no_account_id_is_refused(stack: Configuration, account: str) -> None:
    assert "twelve digits" in stack.refusal("--account", account)


def test_files_that_are_not_there_do_not_matter(stack: Configuration) -> None:
    for key in ("license_file", "tls_certificate_file", "tls_private_key_file", "installation_plan"):
        stack["dash_enterprise"][key] = "nowhere/to/be/found"
    assert stack.policy()["Statement"]


def test_a_secret_of_the_stack_is_neither_read_nor_shown(stack: Configuration) -> None:
    stack["admin_password"] = {"secure": "v1:AAAABBBBCCCC:DDDDEEEE"}
    done = stack.run()
    assert done.exit_code == 0, done.stderr
    assert "AAAABBBBCCCC" not in done.output


def test_refused_settings_are_listed(stack: Configuration) -> None:
    stack["cluster_name"] = "an impossible name"
    stack["availability_zones"] = ["us-east-1a"]
    refusal = stack.refusal()
    assert "cluster_name" in refusal
    assert "availability_zones" in refusal


def test_a_stack_without_a_file_is_refused() -> None:
    done = CliRunner().invoke(app, ["deployer-policy", "--stack", "nobodys"])
    assert done.exit_code == 1
    assert "Pulumi.nobodys.yaml" in done.stderr


@pytest.mark.parametrize("text", ["config: [1, 2]", "- a list", "config: {a: b", "just text"])
def test_a_file_that_is_no_configuration_is_refused_in_a_sentence(tmp_path: Path, text: str) -> None:
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_text(text)
    done = CliRunner().invoke(app, ["deployer-policy", "--stack", "dev", "--config-file", str(file)])
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("error: Pulumi.dev.yaml ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("tags", "{review-by: 2027-01-31}", 'must be text, not a date; write it in quotes: "2027-01-31"'),
        ("tags", "{at: 2027-01-31T10:00:00+02:00}", 'write it in quotes: "2027-01-31T10:00:00+02:00"'),
        ("account_id", "012345678901", 'write it in quotes with its leading zeros: "012345678901"'),
        ("production", "yes", "must be true or false, not text"),
    ],
)
def test_values_mean_what_they_mean_to_pulumi_and_nothing_else_is_complained_of(
    stack: Configuration, key: str, value: str, said: str
) -> None:
    stack.config.pop(f"eks-analytics:{key}", None)
    refused = stack.refusal(more=f"  eks-analytics:{key}: {value}\n")
    assert said in refused
    assert refused.startswith("error: 1 problem in")


@pytest.mark.parametrize("key", ["admin_password", "velero_credentials"])
def test_a_secret_in_clear_text_is_named_although_no_policy_depends_on_it(stack: Configuration, key: str) -> None:
    stack[key] = "abc"
    refused = stack.refusal()
    assert "clear text" in refused
    assert f". {key} = " in refused


@pytest.mark.parametrize("value", ['"012345678901"', "{secure: v1:abc}"])
def test_an_account_with_a_leading_zero_and_a_secret_one_are_taken(stack: Configuration, value: str) -> None:
    del stack.config["eks-analytics:account_id"]
    assert stack.policy(more=f"  eks-analytics:account_id: {value}\n")


def test_an_environment_of_pulumis_is_named_in_one_sentence(stack: Configuration) -> None:
    more = "environment: [acme/eks-dev]\n"
    assert "takes values from acme/eks-dev" in stack.run(more=more).stderr
    del stack.config["eks-analytics:cluster_name"]
    refused = stack.refusal(more=more)
    assert refused.count("\n") == 1
    assert "Without them cluster_name is not set" in refused


def test_the_parts_make_up_the_whole(stack: Configuration) -> None:
    whole = stack.policy()["Statement"]
    assert stack.policy("--part", "1")["Statement"] + stack.policy("--part", "2")["Statement"] == whole
    assert "the policy has 2 parts" in stack.refusal("--part", "3")


def test_what_only_a_creation_needs_is_a_policy_of_its_own(stack: Configuration) -> None:
    assert "kms:TagResource" in actions(stack.policy("--creation"))
    assert "detach it once the update is done" in " ".join(stack.run("--creation").stderr.split())
    assert "give one of them" in stack.refusal("--creation", "--vendor")
    assert "the creation policy has one part" in stack.refusal("--creation", "--part", "2")


def test_the_boundary_of_the_settings_bounds_every_role(stack: Configuration) -> None:
    assert "PermissionsBoundary" not in json.dumps(stack.policy("--part", "2"))
    stack["permissions_boundary_arn"] = "arn:aws:iam::123456789012:policy/deployment-boundary"
    parts = [stack.policy("--part", part) for part in "12"]
    assert '{"iam:PermissionsBoundary": "arn:aws:iam::123456789012:policy/deployment-boundary"}' in json.dumps(parts)


def test_a_policy_too_large_for_a_role_points_at_its_parts(stack: Configuration) -> None:
    stack["cluster_name"] = "c" * 37
    stack["network"] |= {"ipv6": True, "interface_endpoints": ["ecr.api"]}
    stack["dash_enterprise"]["base_domain"] = f"{'d' * 50}.{'e' * 60}.example.com"
    stack["dash_enterprise"]["egress"] = {"mode": "dns-firewall"}
    stack["dash_enterprise"]["dns"] = {
        "hosted_zone_id": "Z0123456789ABCDEFGHIJ",
        "hosted_zone_name": "example.com",
    }
    assert "--part 1 to --part" in " ".join(stack.refusal().split())
    assert stack.policy("--part", "1")["Statement"]


def test_settings_decide_what_is_allowed(stack: Configuration) -> None:
    stack["velero"] = {}  # with backups it takes more than one part
    before = actions(stack.policy())
    stack["network"] |= {"ipv6": True, "interface_endpoints": ["ecr.api"]}
    stack["cluster"]["kms_key_arn"] = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    stack["dash_enterprise"]["egress"] = {"mode": "dns-firewall"}
    stack["dash_enterprise"]["bootstrap"] = {"enabled": False}
    stack["dash_enterprise"]["dns"] = {
        "hosted_zone_id": "Z0123456789ABCDEFGHIJ",
        "hosted_zone_name": "example.com",
    }
    after = actions(stack.policy())
    assert after - before == {
        "ec2:AssociateSubnetCidrBlock",
        "ec2:AssociateVpcCidrBlock",
        "ec2:CreateEgressOnlyInternetGateway",
        "ec2:DeleteEgressOnlyInternetGateway",
        "ec2:DisassociateSubnetCidrBlock",
        "ec2:DisassociateVpcCidrBlock",
        "logs:CreateLogDelivery",
        "logs:DeleteLogDelivery",
        "logs:GetLogDelivery",
        "logs:PutResourcePolicy",
        "logs:UpdateLogDelivery",
        "route53:AssociateVPCWithHostedZone",
        "route53:ChangeResourceRecordSets",
        *(action for action in after if action.startswith("route53resolver:") and "*" not in action),
    }
    assert {"kms:CreateKey", "kms:ScheduleKeyDeletion", "ec2:TerminateInstances"} <= before - after


def test_the_vendors_policy_says_that_it_cannot_deploy_this_program(stack: Configuration) -> None:
    done = stack.run("--vendor")
    assert "cannot deploy this program" in done.stderr.splitlines()[0]
    assert "cloudformation:*" in actions(json.loads(done.stdout))
    assert "has one part" in stack.refusal("--vendor", "--part", "2")
    shown = CliRunner().invoke(app, ["deployer-policy", "--help"], env={"COLUMNS": "200", "TERM": "dumb"}).output
    assert "cannot deploy this program" in " ".join(shown.replace("│", " ").split())


def test_region_and_partition_follow_from_the_provider(stack: Configuration) -> None:
    stack.config["aws:region"] = "us-gov-west-1"
    stack["availability_zones"] = ["us-gov-west-1a", "us-gov-west-1b"]
    stack["cluster"]["admin_principal_arns"] = ["arn:aws-us-gov:iam::123456789012:role/platform-deployer"]
    assert "arn:aws-us-gov:ec2:us-gov-west-1:123456789012:*" in json.dumps(stack.policy())
    assert "arn:aws:" not in json.dumps(stack.policy("--vendor"))
