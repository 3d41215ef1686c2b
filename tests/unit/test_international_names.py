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


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("dash.exam\u00adple.com", "remove the invisible character: "),
        ("dash.example.com\u00a0", "remove the invisible character: "),
        ("\u200bdash.\ufeffexample.com", "remove the invisible characters: "),
        ("\uff44\uff41\uff53\uff48.example.com", ""),
        ("\uff24\uff41sh\uff0eexample.com", ""),
    ],
)
def test_what_was_pasted_along_with_a_name_is_left_out(name: str, remedy: str) -> None:
    fault = letters_fault(name)
    assert fault
    assert fault[1] == f'{remedy}write "dash.example.com"'


@pytest.mark.parametrize("dash", "\u2010\u2013\u2014\u2212")
def test_a_dash_is_written_as_a_hyphen(dash: str) -> None:
    assert letters_fault(f"dash{dash}dev.example.com") == (
        f"has a dash ({dash}), and names in DNS have hyphens",
        'write "dash-dev.example.com", with a hyphen',
    )
