"""Images of node pools and what nodes do at first boot: what would leave them without either. Pure."""

import re
import tomllib
from collections.abc import Iterator

from .node_pool_options import NodePoolArgs, ami_family
from .problems import Problem

LARGEST_USER_DATA = 16384
"""Bytes that EC2 takes."""
EXAMPLES = {"al2023": "al2023@v20260724", "bottlerocket": "bottlerocket@v1.50.0"}
"""Aliases, by family."""

_RELEASES = {"al2023": re.compile(r"v\d{8}"), "bottlerocket": re.compile(r"v\d+\.\d+\.\d+")}


def image_problems(where: str, pool: NodePoolArgs, production: bool) -> Iterator[Problem]:
    """What is wrong with `ami_alias`."""
    key, alias = f"{where}.ami_alias", pool["ami_alias"]
    family, separator, release = alias.partition("@")
    if family == "al2":
        reason = "is Amazon Linux 2, which ended on 2026-06-30 and has no image for Kubernetes above 1.32"
        yield Problem(key, alias, reason, f'write an alias such as "{EXAMPLES["al2023"]}"')
    elif family not in _RELEASES:
        reason = "is no family of images that is supported here: al2023 and bottlerocket are"
        yield Problem(key, alias, reason, f'write an alias such as "{EXAMPLES["al2023"]}"')
    elif not separator or (release != "latest" and not _RELEASES[family].fullmatch(release)):
        reason = f"names no release of {family}, so Karpenter would find no image"
        yield Problem(key, alias, reason, f'write an alias such as "{EXAMPLES[family]}"')
    elif release == "latest" and production:
        reason = "replaces all nodes whenever AWS releases an image, in production too"
        yield Problem(key, alias, reason, f'name a release, such as "{EXAMPLES[family]}"')


def user_data_problems(where: str, pool: NodePoolArgs) -> Iterator[Problem]:
    """What is wrong with `user_data` and `instance_store`."""
    key, text, store = f"{where}.user_data", pool.get("user_data", ""), pool.get("instance_store", "")
    shown = f"{text[:40]}..." if len(text) > 40 else text
    if store not in ("", "raid0"):
        yield Problem(f"{where}.instance_store", store, "is unknown", 'write "raid0", or leave it out')
    if not text:
        return
    if store:
        reason = "stands beside instance_store, and a script that formats the same disks would break the array"
        yield Problem(key, shown, reason, "give one of the two")
    if "$${" in text:
        reason = "has $${, which is how Terraform writes ${ : a shell would put its process id there"
        yield Problem(key, shown, reason, "write ${")
    if (size := len(text.encode())) > LARGEST_USER_DATA:
        reason = f"has {size} bytes, and EC2 takes {LARGEST_USER_DATA}"
        yield Problem(key, shown, reason, "fetch the longer part from S3, or make an image of it")
    if ami_family(pool) == "bottlerocket":
        yield from _toml_problems(key, text, shown)
    elif not re.match(r"#!/|MIME-Version:|Content-Type:", text) and not _is_node_config(text):
        reason = "is neither a script, a NodeConfig nor a MIME archive, so nodes would boot without it"
        yield Problem(key, shown, reason, 'begin a script with "#!/bin/bash"')


def _is_node_config(text: str) -> bool:
    begins = re.match(r"(---\s*\n|#(?!!).*\n|\s*\n)*(apiVersion|kind|metadata|spec):", text)
    return bool(begins and re.search(r"^apiVersion:\s*[\"']?node\.eks\.aws/", text, re.MULTILINE))


def _toml_problems(key: str, text: str, shown: str) -> Iterator[Problem]:
    remedy = 'write settings such as "[settings.kernel]"'
    if text.startswith("#!"):  # which TOML takes for a comment
        yield Problem(key, shown, "is a script, and Bottlerocket has no shell: it takes TOML", remedy)
        return
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        reason = f"is not TOML, which is all that Bottlerocket takes: {error}"
        yield Problem(key, shown, reason, remedy)
