"""Each rule both ways: what is compliant passes, and each break is found by the intended rule and no other."""

import base64
import gzip
import json
import re
from dataclasses import replace
from datetime import date

import pytest
from pulumi import FileAsset, StringAsset

from eks_analytics.versions import RELEASES
from pack.rule import Level, Rule, Severity
from policy_cases import (
    CASES,
    COMPLIANT,
    Case,
    addon,
    bucket,
    cluster,
    controller,
    document,
    group,
    key,
    launch_template,
    node_class,
    node_group,
    queue,
    queue_policy,
    role,
    schedule,
    shared,
    trust,
    velero,
)
from policy_world import UNKNOWN, Made, configured, judge
from rules import RULES, SUBJECTS

BY_ID = {rule.id: rule for rule in RULES}


def test_every_rule_has_something_compliant_and_a_break() -> None:
    assert set(COMPLIANT) == set(BY_ID)
    assert {case.rule for case in CASES} == set(BY_ID)
    assert len(RULES) >= 30
    assert len({case.id for case in CASES}) == len(CASES)


@pytest.mark.parametrize("production", [False, True], ids=["elsewhere", "production"])
@pytest.mark.parametrize("rule", sorted(COMPLIANT))
def test_what_is_compliant_passes_all_rules(rule: str, production: bool) -> None:
    verdict = judge(COMPLIANT[rule](), configured(production=production))
    assert verdict.said == []
    assert verdict.waiting == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_break_is_found_by_its_rule_alone(case: Case) -> None:
    made, rule = case.resources(), BY_ID[case.rule]
    verdict = judge(made, configured(production=case.production))
    about = case.about or case.of or made[0].name
    message = f"{about}: {case.problem}\nTo mend it: {rule.remediation}\n{rule.link}"
    assert verdict.said == [(case.rule, message)]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_says_what_it_wants_how_to_mend_it_and_where_to_read_on(rule: Rule) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z0-9]+)+", rule.id)
    assert rule.description.endswith(".")
    assert rule.link.startswith("https://")
    assert not rule.remediation.endswith(".")
    assert rule.subject in {subject.__name__.rpartition(".")[2] for subject in SUBJECTS}
    assert all(parameter.description for parameter in rule.parameters.values())


def test_ids_are_unique() -> None:
    assert len(BY_ID) == len(RULES)


def test_production_is_never_laxer() -> None:
    order = [Level.DISABLED, Level.ADVISORY, Level.MANDATORY]
    assert [rule.id for rule in RULES if order.index(rule.production_level) < order.index(rule.level)] == []
    stricter = {rule.id for rule in RULES if rule.production_level is not rule.level}
    assert {"use-one-nat-per-zone", "protect-cluster-deletion", "protect-stateful-resources"} <= stricter


def test_what_is_critical_is_mandatory_everywhere() -> None:
    critical = [rule for rule in RULES if rule.severity is Severity.CRITICAL]
    assert {rule.level for rule in critical} == {Level.MANDATORY}
    assert {"refuse-world-administration", "block-public-buckets", "limit-endpoint-cidrs"} <= {
        one.id for one in critical
    }


@pytest.mark.parametrize("rule", [rule.id for rule in RULES if rule.level is Level.DISABLED])
def test_what_only_production_needs_is_not_asked_elsewhere(rule: str) -> None:
    for case in (case for case in CASES if case.rule == rule):
        assert judge(case.resources(), configured()).said == []


def test_the_rule_knows_the_same_versions_as_the_components() -> None:
    known = BY_ID["use-supported-kubernetes"].parameters["standard_support_ends"].default
    assert known == {version: release.standard_support_ends.isoformat() for version, release in RELEASES.items()}


def test_a_version_goes_out_of_standard_support_with_the_day() -> None:
    assert judge(cluster(), configured(today=date(2027, 3, 27))).said == []
    (message,) = judge(cluster(), configured(today=date(2027, 3, 28))).of("use-supported-kubernetes")
    assert "standard support of Kubernetes 1.35 ended on 2027-03-27" in message


# Exceptions that are part of a rule


def test_an_instance_takes_from_its_launch_template_what_it_does_not_say() -> None:
    inherits = Made("aws:ec2/instance:Instance", "host", {"launchTemplate": {"id": "lt-1"}, "tags": {}})
    found = judge([inherits], configured()).rules
    assert found == {"require-tags"}


def test_conditions_that_name_whom_they_mean_make_a_resource_policy_no_public_one() -> None:
    for condition in (
        {"StringEquals": {"AWS:SourceOwner": "123456789012"}},
        {"StringEquals": {"kms:CallerAccount": "123456789012"}},
        {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-1/r-1/*"}},
    ):
        made = queue_policy()[0].changed({"policy": shared(Resource="*", Condition=condition)})
        assert judge([made], configured()).said == [], condition


def test_a_trust_by_saml_needs_no_subject_and_one_by_oidc_takes_any_value_of_a_list() -> None:
    trusted = {"Effect": "Allow", "Principal": {"Federated": "arn:aws:iam::123456789012:saml-provider/sso"}}
    signed_in = {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}}
    by_saml = document({**trusted, "Action": "sts:AssumeRoleWithSAML", "Condition": signed_in})
    assert judge([role()[0].changed({"assumeRolePolicy": by_saml})], configured()).said == []
    subject = {"ForAnyValue:StringLike": {"token:aud": "sts.amazonaws.com", "token:sub": "repo:own/code:*"}}
    assert judge([role()[0].changed({"assumeRolePolicy": trust(**subject)})], configured()).said == []


def test_a_node_group_takes_the_version_of_its_cluster_and_says_from_where_ssh_comes() -> None:
    reached = {"ec2SshKey": "admin", "sourceSecurityGroupIds": ["sg-1"]}
    assert judge([node_group(remoteAccess=reached)], configured()).said == []
    assert judge([node_group(version="1.31")], configured()).rules == {"use-supported-kubernetes"}


def test_an_addon_of_the_marketplace_is_pinned_too() -> None:
    assert judge([addon()[0].changed({"addonVersion": "v2.1.3"})], configured()).said == []


@pytest.mark.parametrize("provisioner", ["ebs.csi.eks.amazonaws.com", "kubernetes.io/aws-ebs"])
def test_volumes_of_auto_mode_and_of_the_old_driver_are_encrypted_too(provisioner: str) -> None:
    props = {"provisioner": provisioner, "parameters": {"type": "gp3"}}
    made = Made("kubernetes:storage.k8s.io/v1:StorageClass", "gp3", props)
    assert judge([made], configured()).rules == {"encrypt-volumes"}
    assert judge([made.changed({"parameters|encrypted": "true"})], configured()).said == []


@pytest.mark.parametrize("alias", ["al2@v20260724", "al2023@v20260724", "bottlerocket@v1.40.0"])
def test_a_release_of_any_family_of_images_is_fixed(alias: str) -> None:
    made = node_class()[0].changed({"spec|amiSelectorTerms|0|alias": alias})
    assert judge([made], configured()).said == []


def test_groups_of_databases_are_nothing_to_protect() -> None:
    of_parameters = Made("aws:rds/parameterGroup:ParameterGroup", "parameters", {})
    assert judge([of_parameters], configured(production=True)).said == []
    database = Made("aws:rds/instance:Instance", "database", {"storageEncrypted": True})
    assert judge([database], configured(production=True)).rules == {"protect-stateful-resources"}


def test_what_belongs_to_a_bucket_may_know_it_by_its_name_or_from_each_other() -> None:
    first, block, *others = bucket()
    by_name = [replace(one, refs={}, props={**one.props, "bucket": "my-files"}) for one in (block, *others)]
    assert judge([first.changed({"bucket": "my-files"}), *by_name], configured()).said == []
    in_a_row = [replace(one, refs={"bucket": block.name}) for one in others]
    assert judge([first, block, *in_a_row], configured()).said == []
    of_another = judge([first.changed({"bucket": "other-files"}), *by_name], configured())
    assert of_another.rules == {"block-public-buckets", "require-tls-for-buckets", "encrypt-buckets"}


def test_tls_may_be_asked_of_all_but_services_of_aws() -> None:
    conditions = {"Bool": {"aws:SecureTransport": "false", "aws:PrincipalIsAWSService": "false"}}
    everything = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": conditions}
    made = [one.changed({"policy": document(everything)}) if one.name == "files-Policy" else one for one in bucket()]
    assert judge(made, configured()).said == []


def test_a_private_endpoint_needs_no_networks() -> None:
    private = cluster()[0].changed({"vpcConfig": {"endpointPublicAccess": False}})
    assert judge([private], configured()).said == []


def test_a_public_address_may_be_declared() -> None:
    public = launch_template()[0].changed({"networkInterfaces|0|associatePublicIpAddress": "true"})
    declared = {"parameters": {"refuse-public-addresses": {"declared": ["template"]}}}
    assert judge([public], configured(declared)).rules == set()


def test_tags_may_come_from_the_provider() -> None:
    untagged = Made("aws:sqs/queue:Queue", "queue", {"sqsManagedSseEnabled": True})
    tags = json.dumps({"tags": {"project": "p", "stack": "s", "environment": "e"}})
    assert judge([untagged], configured()).rules == {"require-tags"}
    assert judge([untagged], configured(), provider={"defaultTags": tags}).said == []


def test_a_cluster_that_only_restores_needs_no_backups() -> None:
    server, location, *_ = velero()
    in_chart = {"configuration": {"backupStorageLocation": [{"accessMode": "ReadOnly"}]}}
    assert judge([server.changed({"values": in_chart})], configured()).said == []
    read_only = location.changed({"spec|accessMode": "ReadOnly"})
    assert judge([server, read_only], configured()).said == []
    assert judge([server, read_only, location], configured()).rules == {"schedule-backups", "alarm-on-missing-backups"}


def test_schedules_may_come_from_the_chart() -> None:
    server, *_, alarm = velero()
    in_chart = server.changed({"values": {"schedules": {"daily": {"schedule": "0 3 * * *"}}}})
    assert judge([in_chart, alarm], configured()).said == []
    as_the_chart_names_it = alarm.changed({"dimensions|Schedule": "velero-daily"})
    assert judge([in_chart, as_the_chart_names_it], configured()).said == []
    off = server.changed({"values": {"schedules": {"daily": {"disabled": True}}}})
    assert judge([off, alarm], configured()).rules == {"schedule-backups"}


def test_an_alarm_without_the_dimension_watches_all_schedules() -> None:
    for_all = velero()[-1].changed({"dimensions": {"Bucket": "backups"}})
    assert judge([*velero()[:-1], schedule("weekly"), for_all], configured()).said == []


def test_a_paused_schedule_needs_no_alarm() -> None:
    paused = schedule("weekly").changed({"spec|paused": True})
    assert judge([*velero(), paused], configured()).said == []


def test_an_alarm_is_not_taken_for_that_of_a_schedule_whose_name_ends_alike() -> None:
    (message,) = judge([*velero()[:-1], velero()[-1].changed({"dimensions|Schedule": "app-daily"})], configured()).of(
        "alarm-on-missing-backups"
    )
    assert message.startswith("daily: no alarm watches the schedule daily")


def test_the_key_of_a_watch_over_backups_may_go_with_it() -> None:
    unprotected = replace(key()[0], protect=False)
    assert judge([unprotected], configured(production=True)).rules == {"protect-stateful-resources"}
    of_a_watch = replace(unprotected, parent="eks-analytics:index:VeleroBackup$eks-analytics:index:BackupWatch")
    assert judge([of_a_watch], configured(production=True)).said == []


def test_other_charts_and_charts_on_disk_are_left_alone() -> None:
    local = controller()[0].changed({"chart": "./charts/own", "version": "", "values": {}})
    assert judge([local], configured()).said == []


def test_commands_are_reported_but_those_of_our_own_components() -> None:
    drain = Made("command:local:Command", "drain", {"create": "true"})
    assert judge([drain], configured()).rules == {"report-unjudged-types"}
    of_ours = replace(drain, parent="eks-analytics:index:LoadBalancerDrain")
    assert judge([of_ours], configured()).said == []


# What is not known yet


def _is_in_a_cluster(case: Case) -> bool:
    return any(one.type.startswith("kubernetes:") for one in case.resources())


@pytest.mark.parametrize("rule", sorted(COMPLIANT))
def test_no_unknown_value_crashes_a_rule_or_makes_a_break_pass_in_silence(rule: str) -> None:
    for case in (case for case in CASES if case.rule == rule and not case.of and not case.more and not case.without):
        for path in case.changes:
            first, *others = case.resources()
            unknown = [first.changed({path.partition("|")[0]: UNKNOWN}), *others]
            verdict = judge(unknown, configured(production=case.production))
            assert case.rule in dict(verdict.waiting), f"{case.id} passes while {path} is not known"


@pytest.mark.parametrize("case", [case for case in CASES if _is_in_a_cluster(case)], ids=lambda case: case.id)
def test_a_break_in_a_cluster_to_come_is_found_before_there_is_one(case: Case) -> None:
    configuration = configured(production=case.production)
    found = judge(case.resources(), configuration, cluster_to_come=True)
    assert found == judge(case.resources(), configuration)


def test_what_cannot_be_judged_names_the_resource_and_the_property() -> None:
    hidden = cluster()[0].changed({"encryptionConfig": UNKNOWN})
    verdict = judge([hidden], configured())
    words = "cluster: .encryptionConfig is known only after the update, which judges it"
    assert verdict.waiting == [("encrypt-kubernetes-secrets", words)]
    assert verdict.said == []


def test_an_unknown_part_hides_nothing_that_is_wrong_with_another() -> None:
    ingress = [
        {"fromPort": 22, "toPort": 22, "protocol": "tcp", "cidrBlocks": [cidr]} for cidr in (UNKNOWN, "0.0.0.0/0")
    ]
    verdict = judge([group()[0].changed({"ingress": ingress})], configured())
    assert verdict.rules == {"refuse-world-administration"}
    assert "refuse-world-administration" in dict(verdict.waiting)


def test_an_unknown_network_hides_no_other_from_the_endpoint() -> None:
    made = cluster()[0].changed({"vpcConfig|publicAccessCidrs": [UNKNOWN, "0.0.0.0/0"]})
    assert judge([made], configured()).rules == {"limit-endpoint-cidrs"}


def test_an_address_is_given_to_an_instance_that_is_not_known_yet() -> None:
    made = Made("aws:ec2/eipAssociation:EipAssociation", "association", {"instanceId": UNKNOWN})
    assert judge([made], configured()).rules == {"refuse-public-addresses"}


def test_the_controller_is_given_the_id_of_a_network_to_come() -> None:
    verdict = judge([controller()[0].changed({"values|vpcId": UNKNOWN})], configured())
    assert (verdict.said, verdict.waiting) == ([], [])


def test_a_tag_that_nobody_asks_for_may_be_unknown() -> None:
    made = queue()[0].changed({"tags|vpc": UNKNOWN})
    assert judge([made], configured()) == judge(queue(), configured())
    assert judge([queue()[0].changed({"tags|stack": UNKNOWN})], configured()).waiting


def test_user_data_that_ends_too_early_ends_no_engine() -> None:
    whole = gzip.compress(b"#!/bin/bash\n" + bytes(range(256)), mtime=0)
    for broken in (whole[:20], whole[:3], whole[:12] + b"\xff" * 30, whole[:-4] + b"\0\0\0\0"):
        made = launch_template()[0].changed({"userData": base64.b64encode(broken).decode()})
        assert judge([made], configured()).said == []


def test_an_unknown_bucket_policy_hides_no_other_bucket() -> None:
    hidden = [one.changed({"policy": UNKNOWN}) if one.name == "files-Policy" else one for one in bucket()]
    open_bucket = [one for one in bucket("other") if one.name != "other-Policy"]
    verdict = judge([*hidden, *open_bucket], configured())
    assert [message.splitlines()[0] for message in verdict.of("require-tls-for-buckets")] == [
        "other: takes requests without TLS"
    ]
    assert "require-tls-for-buckets" in dict(verdict.waiting)


def test_properties_of_an_impossible_form_are_a_violation_and_no_crash() -> None:
    broken = node_class()[0].changed({"spec": "text with a secret in it"})
    said = judge([broken], configured()).said
    assert {message for _, message in said} == {
        "class: its properties have a form that this rule cannot judge (AttributeError)"
    }
    assert judge([Made("aws:iam/policy:Policy", "policy", {"policy": "no JSON"})], configured()).rules >= {
        "limit-pass-role"
    }


def test_files_and_texts_that_cannot_be_read_end_no_engine() -> None:
    chart = controller()[0].changed({"valueYamlFiles": [StringAsset("{"), FileAsset("nowhere.yaml")]})
    assert "its properties have a form that this rule cannot judge (ValueError)" in str(
        judge([chart], configured()).said
    )
    unread = controller()[0].changed({"valueYamlFiles": [FileAsset("nowhere.yaml"), StringAsset("- a list")]})
    assert judge([unread], configured()).said == []
    nested = Made("aws:ssm/parameter:Parameter", "deep", {"type": "String", "value": "[" * 100_000})
    judge([nested], configured())
