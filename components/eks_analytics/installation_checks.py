"""What in an installation AWS, the vendor's script or a browser would refuse. Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from .files import LARGEST_FILE
from .international_names import letters_fault
from .problems import Problem
from .script_variables import script_problems, variable_problems
from .tags import check_tags

LONGEST_BUCKET_PREFIX = 37
"""Characters: S3 takes 63, and the provider appends 26 digits."""
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_RESERVED_BY_S3 = ("xn--", "sthree-", "amzn-s3-demo-")
# https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
RESERVED_BY_SSM = ("aws", "ssm")
_CLUSTER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"(?=.{{1,244}}$)({_LABEL}\.)+(?!\d+$){_LABEL}")


@dataclass(frozen=True)
class InstallationOptions:
    """What of `DashInstallationArgs`, which documents the fields, is plain."""

    cluster_name: str
    base_domain: str
    install_script: str | None = None
    """None where there is none, or where it is not known yet."""
    delivers_script: bool = False
    delivers_password: bool = False
    script_variables: Mapping[str, str] = field(default_factory=dict[str, str])
    contents: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """Contents of secrets that are plain, by input."""
    tags: Mapping[str, str] = field(default_factory=dict[str, str])


def bucket_prefix(cluster_name: str) -> str:
    """What the name of the installation's bucket begins with."""
    return cluster_name.lower().replace("_", "-")[: LONGEST_BUCKET_PREFIX - 1] + "-"


def check_installation(options: InstallationOptions) -> list[Problem]:
    """Everything that is wrong with the plain inputs; no secret is in it."""
    problems = [*_cluster_name(options.cluster_name), *_base_domain(options.base_domain)]
    for name, content in options.contents.items():
        problems += _content(name, content)
    problems += variable_problems(options.script_variables)
    if options.install_script is not None:
        problems += script_problems(
            options.install_script, options.script_variables, admin_password=options.delivers_password
        )
    if options.script_variables and not options.delivers_script:
        reason = "has no install_script to be written into"
        problems.append(Problem("script_variables", sorted(options.script_variables), reason, "give the script too"))
    return problems + check_tags(options.tags)


def _cluster_name(name: str) -> Iterator[Problem]:
    if not _CLUSTER_NAME.fullmatch(name):
        reason = "is no name of an EKS cluster: letters, digits, hyphens and underscores, the first a letter or digit"
        yield Problem("cluster_name", name, reason, 'write a name such as "dash-dev"')
    elif name.lower().startswith(RESERVED_BY_SSM):
        reason = "begins with aws or ssm, and Systems Manager takes no parameters under such a name"
        yield Problem("cluster_name", name, reason, "put another word in front")
    elif bucket_prefix(name).startswith(_RESERVED_BY_S3):
        reason = f"begins like the bucket names that S3 keeps for itself ({', '.join(_RESERVED_BY_S3)})"
        yield Problem("cluster_name", name, reason, "put another word in front")


def _base_domain(domain: str) -> Iterator[Problem]:
    if fault := letters_fault(domain):
        yield Problem("base_domain", domain, *fault)
    elif not _DOMAIN.fullmatch(domain):
        reason = "is not a DNS name in small letters, with a dot in it and no scheme, port or final dot"
        yield Problem("base_domain", domain, reason, 'write a name such as "dash.example.com"')


def _content(name: str, content: str) -> Iterator[Problem]:
    size = len(content.encode(errors="replace"))
    if not content.strip():
        yield Problem(name, "", "is empty", "give the content of the file")
    if size > LARGEST_FILE:
        reason = f"is larger than {LARGEST_FILE} bytes, the most that AWS Secrets Manager keeps"
        yield Problem(name, f"{size} bytes", reason, "give the content of the file, and nothing else")
