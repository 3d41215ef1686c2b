"""The license check: is this a Replicated license for this product, and does it still run? Pure, and it quotes nothing.

The signature is not looked at: only the vendor's platform can.
"""

from datetime import UTC, datetime
from typing import Any, cast

import yaml

from .files import GivenFile
from .problems import Problem

API_VERSIONS = ("kots.io/v1beta1", "kots.io/v1beta2")
"""KOTS takes both, and what is read here is in the same place in both."""
_DEEPEST = 20


def check_license(file: GivenFile, app_slug: str, *, at: datetime) -> list[Problem]:
    """Everything that is wrong with a license for the product `app_slug` at that (aware) time."""
    again = "download the license again from the vendor, and change nothing in it"
    text = file.text("the license (YAML)", again)
    if isinstance(text, Problem):
        return [text]
    document = _parse(text)
    if isinstance(document, str):
        return [file.problem(document, again)]
    if document.get("apiVersion") not in API_VERSIONS or document.get("kind") != "License":
        reason = f"is not a license: it needs kind License and apiVersion {' or '.join(API_VERSIONS)}"
        return [file.problem(reason, "name the license file that the vendor sent")]
    spec = _mapping(document.get("spec"))
    problems: list[Problem] = []
    if spec.get("appSlug") != app_slug:
        reason = f"is not a license for {app_slug}: its spec.appSlug says something else"
        problems.append(file.problem(reason, f"name the license for {app_slug}"))
    expires_at = _mapping(_mapping(spec.get("entitlements")).get("expires_at")).get("value")
    if expires_at:  # absent or empty: never expires
        try:
            expiry = datetime.fromisoformat(expires_at)
            expired = (expiry if expiry.tzinfo else expiry.replace(tzinfo=UTC)) <= at
        except (TypeError, ValueError):
            problems.append(file.problem("its entitlement expires_at holds no date", again))
        else:
            if expired:
                reason = "has expired: its entitlement expires_at lies in the past"
                problems.append(file.problem(reason, "ask the vendor for a renewed license"))
    return problems


def _parse(text: str) -> dict[str, Any] | str:
    """The document, every scalar as text; or what is wrong with it, in words that hold nothing of it."""
    depth = 0
    try:
        # First flat, and no further than needed: aliases and nesting are what YAML bombs are made of.
        for event in yaml.parse(text, yaml.BaseLoader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEEPEST or isinstance(event, yaml.AliasEvent):
                return "uses YAML aliases or deep nesting, which no license does"
        return _mapping(yaml.load(text, yaml.BaseLoader))
    except yaml.MarkedYAMLError as error:
        line = f" (line {error.problem_mark.line + 1})" if error.problem_mark else ""
        return f"is not one YAML document{line}"
    except yaml.YAMLError:
        return "is not one YAML document"


def _mapping(value: Any) -> dict[str, Any]:
    return cast(dict[str, Any], value) if isinstance(value, dict) else {}
