"""Domain names with letters outside of ASCII."""

from typing import Any

import idna
import pytest

from eks_analytics.dns_records import DnsOptions, record_problems
from eks_analytics.domains import domain_problems
from eks_analytics.installation_checks import InstallationOptions, check_installation
from eks_analytics.international_names import ascii_form, letters_fault

NAMES = (
    "dash.bücher.example",
    "straße.example",
    "βόλος.example",
    "例え.example",
    "Ünder.example",
    "u\u0308ber.example",
)


@pytest.mark.parametrize("name", NAMES)
def test_the_form_that_dns_knows_is_that_of_idna_2008(name: str) -> None:
    assert ascii_form(name) == idna.encode(name, uts46=True).decode()


def test_names_of_ascii_stay_as_they_are() -> None:
    assert letters_fault("dash.example.com") is None
    assert ascii_form("xn--bcher-kva.example") == "xn--bcher-kva.example"


def test_wherever_a_name_is_given_the_one_to_write_is_named() -> None:
    name, asked = "dash.bücher.example", 'write "dash.xn--bcher-kva.example"'
    dns = DnsOptions(base_domain=name, load_balancer_hostname=name)
    everywhere: list[Any] = [
        *record_problems(dns),
        *check_installation(InstallationOptions(cluster_name="dash", base_domain=name)),
        *domain_problems([name], 1),
    ]
    assert [problem.remedy for problem in everywhere if problem.value == name] == [asked] * 4
