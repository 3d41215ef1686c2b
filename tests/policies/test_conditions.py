"""What conditions limit, for inputs that nobody wrote down."""

import re
from ipaddress import IPv4Network, collapse_addresses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from policy_sentry.querying.actions import get_actions_with_access_level

from pack.arns import matches, names_account, names_resource
from pack.conditions import conditions
from pack.documents import allowed
from pack.sensitive import EFFECTS


def narrow(operator: str, key: str, *values: Any) -> tuple[bool, bool, bool]:
    """Whether a condition names callers, narrows what is reached, and narrows it to a target."""
    (one,) = conditions({operator: {key: list(values)}})
    return one.names_callers, one.narrows, one.narrows_to_a_target


@given(st.lists(st.integers(0, 2**32 - 1), max_size=12))
def test_the_internet_is_the_internet_however_it_is_cut(cuts: list[int]) -> None:
    networks = [IPv4Network("0.0.0.0/0")]
    for cut in cuts:
        holder = next(one for one in networks if IPv4Network((cut, 32)).subnet_of(one))
        if holder.prefixlen < 30:
            networks.remove(holder)
            networks += holder.subnets()
    assert list(collapse_addresses(networks)) == [IPv4Network("0.0.0.0/0")]
    assert narrow("IpAddress", "aws:SourceIp", *map(str, networks)) == (False, False, False)


@given(st.integers(2**24, 2**32 - 1), st.integers(16, 32), st.integers(16, 32))
def test_networks_of_an_office_are_callers(address: int, first: int, second: int) -> None:
    networks = [str(IPv4Network((address, prefix), strict=False)) for prefix in (first, second)]
    assert narrow("IpAddress", "aws:SourceIp", *networks)[:2] == (True, True)


OPEN = st.sampled_from(["*", "?*", "arn:aws:iam::*:role/*", "arn:aws:iam::*:role/deploy", "arn:*", "1*"])
NAMED = st.sampled_from(["arn:aws:iam::123456789012:role/deploy", "arn:aws:iam::123456789012:role/ci-*"])


@given(st.lists(NAMED, max_size=3), OPEN, st.lists(NAMED, max_size=3), st.sampled_from(["ArnLike", "StringLike"]))
def test_one_open_value_opens_a_whole_list(before: list[str], one: str, after: list[str], operator: str) -> None:
    assert not narrow(operator, "aws:PrincipalArn", *before, one, *after)[0]


@given(st.lists(NAMED, min_size=1, max_size=3), st.sampled_from(["ArnLike", "ArnEquals", "StringLike", "StringEquals"]))
def test_a_list_of_named_values_names_callers_in_any_positive_form(values: list[str], operator: str) -> None:
    assert narrow(operator, "aws:PrincipalArn", *values)[0]
    assert narrow(f"ForAnyValue:{operator}", "AWS:principalarn", *values)[0]
    negated = re.sub("(Like|Equals)", r"Not\1", operator)
    for weak in (f"{operator}IfExists", f"ForAllValues:{operator}", negated):
        assert not narrow(weak, "aws:PrincipalArn", *values)[0], weak


def test_a_key_that_must_be_there_makes_a_weak_form_strict() -> None:
    organization = {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}
    weak = {"ForAllValues:StringEquals": organization}
    assert not any(one.names_callers for one in conditions(weak))
    assert any(one.names_callers for one in conditions({**weak, "Null": {"aws:PrincipalOrgID": "false"}}))
    assert not any(one.names_callers for one in conditions({**weak, "Null": {"aws:PrincipalOrgID": "true"}}))


@pytest.mark.parametrize("wildcard", ["*", "?*", "*/*", "??*", "*:*"])
@pytest.mark.parametrize("kind", ["role/", "policy/", "secret:", "", "ro"])
def test_no_spelling_of_everything_names_a_resource(kind: str, wildcard: str) -> None:
    assert not names_resource(f"arn:aws:iam::123456789012:{kind}{wildcard}")


def test_an_account_is_twelve_digits_and_a_bucket_is_one_in_the_world() -> None:
    assert names_account("arn:aws:sns:us-east-1:123456789012:*")
    assert names_account("arn:aws:s3:::files")
    assert names_account("arn:aws:s3:*:*:files")
    assert not names_account("arn:aws:s3:::files*")
    assert not names_account("arn:aws:sns:us-east-1:12345678901?:orders")
    assert not names_account("arn:aws:sns:us-east-1::*")


@given(st.text("ab*?[]!", max_size=6), st.text("ab[]!", max_size=6))
def test_only_stars_and_question_marks_are_wildcards(pattern: str, text: str) -> None:
    assert matches(text, text)
    if "*" not in pattern and "?" not in pattern:
        assert matches(pattern, text) == (pattern == text)


@pytest.mark.parametrize("value", [True, "true", ["true"]])
def test_booleans_are_read_as_json_has_them(value: Any) -> None:
    statement = {
        "Effect": "Allow",
        "Action": "*",
        "Resource": "*",
        "Condition": {"Bool": {"aws:SecureTransport": value}},
    }
    (found,) = allowed({"Statement": statement})
    assert [one.values for one in found.conditions] == [("true",)]


def test_every_right_over_identities_is_sensitive() -> None:
    known = {action.lower() for effect in EFFECTS for action in effect.actions}
    harmless = {  # of the caller alone, of a device that nobody has yet, or of roles whose policies are AWS's
        *("iam:changepassword", "iam:createvirtualmfadevice", "iam:deletevirtualmfadevice"),
        *("iam:createservicelinkedrole", "iam:deleteservicelinkedrole"),
        "iam:passrole",  # has a rule of its own
    }
    every = {action.lower() for action in get_actions_with_access_level("iam", "Permissions management")}
    assert every - known == harmless & every


@pytest.mark.parametrize("account", [123456789012, 123456789012.0], ids=["as JSON has it", "as Pulumi hands it over"])
def test_an_account_may_be_a_number(account: float) -> None:
    (statement,) = allowed(
        {
            "Statement": {
                "Effect": "Allow",
                "Principal": {"AWS": account},
                "Action": "sqs:SendMessage",
                "Condition": {"StringEquals": {"aws:SourceAccount": account}},
            }
        }
    )
    assert statement.principals == {"AWS": ("123456789012",)}
    assert statement.conditions[0].names_callers
