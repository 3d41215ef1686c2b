"""What a bootstrap host is refused for, and that no message gives a key away."""

from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from eks_analytics.bootstrap_checks import (
    BootstrapOptions,
    BootstrapSshArgs,
    allowed_cidr_fault,
    bootstrap_warnings,
    check_bootstrap,
    installer_problems,
    public_key_fault,
    ubuntu_parameter,
)

OPTIONS = BootstrapOptions(
    cluster_name="analytics", kubernetes_version="1.35", region="us-east-1", account_id="123456789012"
)
PRIVATE_KEY = rsa.generate_private_key(65537, 2048)
OPENSSH = (Encoding.OpenSSH, PublicFormat.OpenSSH)
PUBLIC_KEY = PRIVATE_KEY.public_key().public_bytes(*OPENSSH).decode()


def ssh(**changes: Any) -> BootstrapSshArgs:
    required = {"public_key": PUBLIC_KEY, "allowed_cidrs": ["198.51.100.0/24"]}
    return {**required, **changes}  # pyright: ignore[reportReturnType]  # tests give wrong values on purpose


def refused(**changes: Any) -> list[str]:
    return [str(problem) for problem in check_bootstrap(replace(OPTIONS, **changes))]


def private_key(format: PrivateFormat) -> str:
    return PRIVATE_KEY.private_bytes(Encoding.PEM, format, NoEncryption()).decode()


def test_defaults_and_an_ssh_mode_as_in_the_guide_are_fine() -> None:
    assert refused() == []
    assert refused(ssh=ssh(), instance_type="t2.micro", ubuntu_release="20.04") == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ubuntu_release": "20.10"}, ["ubuntu_release = '20.10'", '"24.04", "22.04", "20.04"']),
        ({"ubuntu_release": 24.04}, ["ubuntu_release = 24.04"]),
        ({"instance_type": "t4g.micro"}, ["instance_type = 't4g.micro'", "ARM", "t3.micro"]),
        ({"instance_type": "a1.medium"}, ["ARM"]),
        ({"instance_type": "im4gn.large"}, ["ARM"]),
        ({"instance_type": "micro"}, ["no EC2 instance type"]),
        ({"instance_type": "mac1.metal"}, ["no EC2 instance type"]),
        ({"disk_size_gib": 7}, ["disk_size_gib = 7", "too little", "8 to 16384 GiB"]),
        ({"disk_size_gib": 16385}, ["too much"]),
        ({"installer_timeout_minutes": 4}, ["installer_timeout_minutes = 4", "5 to 720 minutes"]),
        ({"installer_timeout_minutes": 721}, ["too much"]),
        ({"log_retention_days": 91}, ["log_retention_days = 91", "90"]),
        ({"cluster_name": "no good"}, ["cluster.name = 'no good'"]),
        ({"cluster_name": "AWS-analytics"}, ["cluster.name = 'AWS-analytics'", "SSM"]),
        ({"cluster_name": "ssm"}, ["SSM"]),
        ({"kubernetes_version": "1.12"}, ["cluster.kubernetes_version = '1.12'", "1.35"]),
        ({"supporting_software": ["isto"]}, ["supporting_software", "'isto'"]),
        ({"tools": [{"name": "helmet", "version": "1.2.3"}]}, ["tools", "helm"]),
        ({"region": "Virginia"}, ["region = 'Virginia'", "us-east-1"]),
        ({"account_id": "12345"}, ["account_id = '12345'", "twelve digits"]),
        ({"tags": {"Name": "mine"}}, ["tags = 'Name'"]),
    ],
)
def test_what_cannot_work_is_refused_with_its_name_and_a_way_out(changes: dict[str, Any], words: list[str]) -> None:
    (problem,) = refused(**changes)
    assert [word for word in words if word not in problem] == []


@pytest.mark.parametrize(
    "type", ["t3.micro", "t2.micro", "m6i.large", "g4dn.xlarge", "c7i-flex.large", "u-3tb1.56xlarge"]
)
def test_x86_types_are_taken(type: str) -> None:
    assert refused(instance_type=type) == []


def test_every_problem_is_told_at_once() -> None:
    assert len(refused(ubuntu_release="18.04", disk_size_gib=1, ssh=ssh(allowed_cidrs=[], key_name=""))) == 4


@pytest.mark.parametrize("cidr", ["0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1", "64.0.0.0/7", "2000::/31"])
def test_the_whole_internet_is_refused_with_the_reason(cidr: str) -> None:
    (problem,) = refused(ssh=ssh(allowed_cidrs=["198.51.100.0/24", cidr]))
    assert f"ssh.allowed_cidrs[1] = '{cidr}'" in problem
    assert "Admin Console on port 8800 speaks plain HTTP and holds the product's keys" in problem
    assert "name your own networks" in problem
    assert "leave ssh out: Session Manager needs no open port" in problem


@pytest.mark.parametrize(
    "cidr", ["198.51.100.0/24", "203.0.113.7/32", "10.0.0.0/8", "2001:db8::/32", "2001:db8::1/128"]
)
def test_named_networks_are_let_in(cidr: str) -> None:
    assert refused(ssh=ssh(allowed_cidrs=[cidr])) == []


@pytest.mark.parametrize("cidr", ["198.51.100.7", "198.51.100.7/24", "office", "", "127.0.0.0/8", "198.51.100.0/33"])
def test_what_is_no_network_of_anybody_is_refused(cidr: str) -> None:
    (problem,) = refused(ssh=ssh(allowed_cidrs=[cidr]))
    assert f"ssh.allowed_cidrs[0] = '{cidr}'" in problem


@given(st.integers(0, 2**32 - 1), st.integers(0, 32))
def test_no_network_wider_than_a_class_a_is_ever_let_in(address: int, length: int) -> None:
    base = address >> (32 - length) << (32 - length)
    cidr = f"{'.'.join(str(base >> shift & 255) for shift in (24, 16, 8, 0))}/{length}"
    if length < 8:
        assert allowed_cidr_fault(cidr)


def test_a_list_of_networks_is_neither_empty_nor_repeated_nor_larger_than_a_security_group() -> None:
    assert "lets nobody in" in refused(ssh=ssh(allowed_cidrs=[]))[0]
    assert "198.51.100.0/24 more than once" in refused(ssh=ssh(allowed_cidrs=["198.51.100.0/24"] * 2))[0]
    many = [f"198.51.100.{number}/32" for number in range(31)]
    assert refused(ssh=ssh(allowed_cidrs=many[:30])) == []
    assert "31 CIDRs" in refused(ssh=ssh(allowed_cidrs=many))[0]


@pytest.mark.parametrize("key_name", ["", "my key", "a/b", "key;rm", "k" * 256])
def test_a_key_name_fits_aws_and_a_file(key_name: str) -> None:
    (problem,) = refused(ssh=ssh(key_name=key_name))
    assert "ssh.key_name" in problem


def test_a_public_key_is_taken_with_and_without_a_comment_and_line_break() -> None:
    for text in (PUBLIC_KEY, f"{PUBLIC_KEY} ada@example.com", f"{PUBLIC_KEY}\n", f"  {PUBLIC_KEY} two words\r\n"):
        assert public_key_fault(text) is None
    larger = rsa.generate_private_key(65537, 3072).public_key().public_bytes(*OPENSSH).decode()
    assert public_key_fault(larger) is None


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (private_key(PrivateFormat.OpenSSH), "is a private key"),
        (private_key(PrivateFormat.PKCS8), "is a private key"),
        (private_key(PrivateFormat.TraditionalOpenSSL), "is a private key"),
        ("PuTTY-User-Key-File-3: ssh-rsa\nEncryption: none\nPrivate-Lines: 14\nc2VjcmV0", "is a private key"),
        (
            PRIVATE_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
            "another form than OpenSSH's",
        ),
        ("---- BEGIN SSH2 PUBLIC KEY ----\nc2VjcmV0\n---- END SSH2 PUBLIC KEY ----", "another form than OpenSSH's"),
        (rsa.generate_private_key(65537, 1024).public_key().public_bytes(*OPENSSH).decode(), "of 1024 bits"),
        (ed25519.Ed25519PrivateKey.generate().public_key().public_bytes(*OPENSSH).decode(), "is no RSA key"),
        (ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(*OPENSSH).decode(), "is no RSA key"),
        (PUBLIC_KEY[:-40], "cut off or damaged"),
        (PUBLIC_KEY.replace("ssh-rsa", "ssh-dss"), "is no RSA key"),
        ("ssh-rsa not-base64!", "cut off or damaged"),
        ("ssh-rsa c2VjcmV0", "cut off or damaged"),
        ("c2VjcmV0", "is not one line"),
        ("", "is not one line"),
        (f"{PUBLIC_KEY}\n{PUBLIC_KEY}", "is not one line"),
        ("ssh-rsa \u00e9\u00e8", "cut off or damaged"),
    ],
    ids=lambda value: "" if len(value) > 40 else None,  # keys made here differ from process to process
)
def test_any_other_key_is_refused_and_nothing_of_it_is_quoted(text: str, word: str) -> None:
    (problem,) = refused(ssh=ssh(public_key=text))
    assert word in problem
    assert "ssh.public_key = '(not shown)'" in problem
    parts = [part for line in text.splitlines() for part in line.split() if len(part) > 7 and "KEY" not in part]
    assert [part for part in parts if part in problem or part[:20] in problem] == []


def test_an_installer_that_is_not_there_cannot_run() -> None:
    (problem,) = installer_problems(replace(OPTIONS, run_installer=True), "")
    assert "run_installer = True: there is no install_de_aws.sh" in str(problem)
    assert list(installer_problems(replace(OPTIONS, run_installer=True), "install_de_aws.sh")) == []
    assert list(installer_problems(OPTIONS, "")) == []


def test_canonical_keeps_image_ids_under_the_volume_that_the_release_began_with() -> None:
    base = "/aws/service/canonical/ubuntu/server"
    assert [ubuntu_parameter(release) for release in ("24.04", "22.04", "20.04")] == [
        f"{base}/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id",
        f"{base}/22.04/stable/current/amd64/hvm/ebs-gp2/ami-id",
        f"{base}/20.04/stable/current/amd64/hvm/ebs-gp2/ami-id",
    ]


def test_only_the_release_past_its_support_is_warned_of() -> None:
    (warning,) = bootstrap_warnings(replace(OPTIONS, ubuntu_release="20.04"))
    assert "2025-05-31" in warning
    assert bootstrap_warnings(OPTIONS) == bootstrap_warnings(replace(OPTIONS, ubuntu_release="22.04")) == []


def test_a_misspelt_instance_type_of_the_host_is_warned_of_with_the_nearest() -> None:
    (warning,) = bootstrap_warnings(replace(OPTIONS, instance_type="t3.mikro"))
    assert "t3.mikro is not among the machines known here (did you mean t3.micro" in warning
