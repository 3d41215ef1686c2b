"""What Velero may do, and what S3 may do to copy its bucket: upstream's actions, narrowed to one bucket."""

import json
import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from parliament import analyze_policy_string
from policy_sentry.querying.actions import get_action_data
from policy_sentry.querying.all import get_all_actions

from eks_analytics.iam import PolicyDocument
from eks_analytics.velero_policies import replication_policy, replication_trust, velero_policy

UPSTREAM = Path(__file__).resolve().parents[3] / "shared/reference/data/velero/aws-iam-policy.json"
BUCKET, COPY = "arn:aws:s3:::backups", "arn:aws:s3:::copies"
KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
THERE = KEY.replace("us-east-1", "us-west-2")
POLICIES: dict[str, PolicyDocument] = {
    "plain": velero_policy("us-east-1", BUCKET),
    "with a key and a folder": velero_policy("us-east-1", BUCKET, "dash/prod", KEY),
    "in China": velero_policy("cn-north-1", "arn:aws-cn:s3:::backups", "", KEY.replace(":aws:", ":aws-cn:")),
    "copying": replication_policy(BUCKET, COPY, source_key=None, target_key=None, locked=False),
    "copying what is encrypted and locked": replication_policy(
        BUCKET, COPY, source_key=(KEY, "us-east-1"), target_key=(THERE, "us-west-2"), locked=True
    ),
}
# What parliament 1.6 finds wrong in upstream's own policy, too: a volume is made of a snapshot, and a snapshot of a
# volume, so that each action stands on both kinds.
FALSE_FINDINGS = [("RESOURCE_MISMATCH", "ec2:*"), ("RESOURCE_STAR", "ec2:Describe*")]


def listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else value


def actions(document: Any) -> set[str]:
    return {action for statement in document["Statement"] for action in listed(statement["Action"])}


def by_sid(document: Any, sid: str) -> Any:
    return next(statement for statement in document["Statement"] if statement["Sid"] == sid)


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("name", POLICIES)
def test_parliament_finds_nothing_but_what_it_is_wrong_about(name: str) -> None:
    found = [
        (finding.issue, str(detail["action"] if isinstance(detail, dict) else detail))
        for finding in analyze_policy_string(json.dumps(POLICIES[name])).findings
        for detail in (finding.detail if isinstance(finding.detail, list) else [finding.detail])
    ]
    excused = [
        one for one in found if any(one[0] == issue and fnmatchcase(one[1], what) for issue, what in FALSE_FINDINGS)
    ]
    assert sorted({*found} - {*excused}) == []


@pytest.mark.parametrize("name", POLICIES)
def test_every_action_exists_and_every_statement_says_what_it_is_for(name: str) -> None:
    assert actions(POLICIES[name]) <= set(get_all_actions())
    sids = [statement["Sid"] for statement in POLICIES[name]["Statement"]]
    assert all(re.fullmatch(r"([A-Z][a-z0-9]+)+", sid) for sid in sids)
    assert len(sids) == len(set(sids))


@pytest.mark.parametrize("name", POLICIES)
def test_every_action_knows_a_kind_of_the_resources_of_its_statement(name: str) -> None:
    for statement in POLICIES[name]["Statement"]:
        for action in statement["Action"]:
            service, _, operation = action.partition(":")
            formats = [row["resource_arn_format"] for row in get_action_data(service, operation)[service]]
            patterns = [re.sub(r"\$\{[^}]*\}", "*", one).replace("arn:*:", "arn:aws*:") for one in formats]
            for arn in listed(statement["Resource"]):
                assert arn == "*" or any(fnmatchcase(arn, one) for one in patterns), (action, arn)


@pytest.mark.parametrize("name", POLICIES)
def test_only_reading_of_volumes_is_allowed_everywhere(name: str) -> None:
    everywhere = [one for one in POLICIES[name]["Statement"] if "*" in listed(one["Resource"])]
    assert {action for one in everywhere for action in one["Action"]} <= {
        "ec2:DescribeSnapshots",
        "ec2:DescribeVolumes",
    }


def test_the_actions_are_upstreams_and_no_others() -> None:
    if not UPSTREAM.is_file():
        pytest.skip("upstream's policy is not at hand")
    upstream = actions(json.loads(UPSTREAM.read_text()))
    assert actions(POLICIES["plain"]) == upstream
    assert actions(POLICIES["with a key and a folder"]) - upstream == {"kms:Decrypt", "kms:GenerateDataKey"}


def test_without_a_key_there_is_no_word_of_kms() -> None:
    assert "kms" not in json.dumps(POLICIES["plain"])
    assert "kms" not in json.dumps(POLICIES["copying"])


def test_keys_are_used_through_s3_of_their_region_only() -> None:
    for name, sid, region, arn in (
        ("with a key and a folder", "UseKeyOfBucket", "us-east-1", KEY),
        ("copying what is encrypted and locked", "DecryptSource", "us-east-1", KEY),
        ("copying what is encrypted and locked", "EncryptCopies", "us-west-2", THERE),
    ):
        statement = by_sid(POLICIES[name], sid)
        assert statement["Resource"] == arn
        assert statement["Condition"] == {"StringEquals": {"kms:ViaService": f"s3.{region}.amazonaws.com"}}


def test_a_folder_narrows_what_can_be_read_and_written() -> None:
    assert by_sid(POLICIES["plain"], "KeepBackups")["Resource"] == f"{BUCKET}/*"
    assert by_sid(POLICIES["with a key and a folder"], "KeepBackups")["Resource"] == f"{BUCKET}/dash/prod/*"


def test_only_snapshots_of_backups_can_be_deleted_and_only_new_ones_tagged() -> None:
    plain = POLICIES["plain"]
    assert by_sid(plain, "ForgetSnapshotsOfBackups")["Condition"] == {
        "Null": {"aws:ResourceTag/velero.io/backup": "false"}
    }
    assert set(by_sid(plain, "TagWhatIsMade")["Condition"]["StringEquals"]) == {"ec2:CreateAction"}


def test_the_partition_follows_from_the_region() -> None:
    text = json.dumps(POLICIES["in China"])
    assert "arn:aws:" not in text
    assert "s3.cn-north-1.amazonaws.com.cn" in text


def test_s3_takes_the_role_for_this_bucket_of_this_account_only() -> None:
    (statement,) = replication_trust(BUCKET, "123456789012")["Statement"]
    assert statement["Principal"] == {"Service": "s3.amazonaws.com"}
    assert statement["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "123456789012"},
        "ArnEquals": {"aws:SourceArn": BUCKET},
    }


def test_copying_reads_here_and_writes_there() -> None:
    for statement in POLICIES["copying what is encrypted and locked"]["Statement"]:
        writing = {one for one in statement["Action"] if one.startswith("s3:Replicate")}
        assert writing in (set(), set(statement["Action"]))
        if statement["Action"][0].startswith("s3:"):
            assert listed(statement["Resource"])[0].startswith(COPY if writing else BUCKET)
    locks = {"s3:GetObjectLegalHold", "s3:GetObjectRetention"}
    assert actions(POLICIES["copying what is encrypted and locked"]) >= locks
    assert not actions(POLICIES["copying"]) & locks
