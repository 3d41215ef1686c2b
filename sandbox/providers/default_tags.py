"""Default tags of the provider, `aws:defaultTags` and `aws:ignoreTags`: merged as pulumi-aws merges them.

Check puts the tags of the provider and of the resource together into the input `tagsAll`, so that changed default tags
are a change of every resource; what the resource itself was given stays in `tags`.
Source: `applyTags` in provider/tags.go of github.com/pulumi/pulumi-aws.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.providers.aws import AwsProvider, provider_arguments
from sandbox.providers.aws_rows import ROWS
from sandbox.providers.protocol import UNKNOWN, Changes, InvalidInputsError, Resource, Values
from sandbox.providers.schema import Type, check_value, plain

# What is about credentials and the way to AWS: accepted, so that a stack's file can stay as it is.
_WITHOUT_EFFECT = (
    *("accessKey", "allowedAccountIds", "assumeRoles", "assumeRoleWithWebIdentity", "customCaBundle"),
    *("endpoints", "forbiddenAccountIds", "httpProxy", "httpsProxy", "noProxy", "profile", "secretKey"),
    *("sharedConfigFiles", "sharedCredentialsFiles", "stsRegion", "token"),
)
_EXAMPLES = {"defaultTags": '{tags: {owner: "x"}}', "ignoreTags": "{keys: [x]}"}
_TAGS = Type("map", Type("str"))
_EMPTY = (None, "", "{}", "[]", [], {})


class TaggingAwsProvider(AwsProvider):
    """The stand-in for pulumi-aws with its default tags."""

    def check_config(self, config: Values) -> None:
        super().check_config(config)
        if problems := [problem for key in _EXAMPLES for problem in _block_problems(config, key)]:
            raise InvalidInputsError(problems)
        self.announce_once(
            f"aws:{key} does not count here: nobody signs in to the emulated account."
            for key in _WITHOUT_EFFECT
            if config.get(key) not in _EMPTY
        )

    def check(self, resource: Resource, old: Values, new: Values, seed: bytes) -> Values:
        inputs = super().check(resource, sent(old), new, seed)
        row = ROWS.get(resource.type)
        if not row or not row.tags:
            return inputs
        if UNKNOWN in [resource.config.get(key) for key in _EXAMPLES]:
            return inputs | {"tagsAll": UNKNOWN}
        defaults, ignored = _block(resource.config, "defaultTags"), _block(resource.config, "ignoreTags")
        if not (defaults or ignored):
            return inputs
        return inputs | {
            "tagsAll": _merged((defaults or {}).get("tags") or {}, inputs.get("tags") or {}, ignored or {})
        }

    def diff(self, resource: Resource, id: str, old: Values, state: Values, new: Values, ignored: list[str]) -> Changes:
        return super().diff(resource, id, sent(old), sent(state), sent(new), ignored)

    def create(self, resource: Resource, inputs: Values, preview: bool) -> tuple[str, Values]:
        id, state = super().create(resource, sent(inputs), preview)
        return id, _shown(state, inputs)

    def read(self, resource: Resource, id: str, inputs: Values, state: Values) -> tuple[str, Values, Values] | None:
        found = super().read(resource, id, sent(inputs), sent(state))
        return found and (found[0], _shown(found[1], inputs), _shown(found[2], inputs))

    def update(self, resource: Resource, id: str, old: Values, state: Values, new: Values, preview: bool) -> Values:
        return _shown(super().update(resource, id, sent(old), sent(state), sent(new), preview), new)

    def delete(self, resource: Resource, id: str, inputs: Values, state: Values) -> None:
        super().delete(resource, id, sent(inputs), sent(state))


def sent(values: Values) -> Values:
    """The values with all tags as the resource's own, as AWS is told them."""
    if "tagsAll" not in values:
        return values
    return {key: value for key, value in values.items() if key != "tagsAll"} | {"tags": values["tagsAll"]}


def _shown(values: Values, given: Values) -> Values:
    """The values with the tags told apart again."""
    if "tagsAll" not in given:
        return values
    tags, all = given.get("tags") or {}, values.get("tags", {})
    own = tags if UNKNOWN in (tags, all, given["tagsAll"]) else _own(all, given["tagsAll"], tags)
    return (
        {key: value for key, value in values.items() if key != "tags"}
        | ({"tags": own} if own else {})
        | {"tagsAll": all}
    )


def _own(all: Mapping[str, str], merged: Mapping[str, str], tags: Mapping[str, str]) -> Values:
    return {key: value for key, value in all.items() if key in tags or key not in merged}


def _merged(defaults: Any, tags: Any, ignored: Mapping[str, Any]) -> Any:
    if UNKNOWN in (defaults, tags) or UNKNOWN in (*defaults.values(), *tags.values()):
        return UNKNOWN
    defaults = plain(_TAGS, defaults)
    prefixes = tuple(ignored.get("keyPrefixes") or ())
    return {
        key: value
        for key, value in {**defaults, **tags}.items()
        if key not in (ignored.get("keys") or ()) and not (prefixes and key.startswith(prefixes))
    }


def _block_problems(config: Values, key: str) -> Iterator[tuple[str, str]]:
    block = UNKNOWN if config.get(key) is UNKNOWN else _block(config, key)
    if block is None:
        yield key, f"is no object such as {_EXAMPLES[key]}"
    else:
        for path, reason in check_value(provider_arguments()[key], block, key):
            yield path, f"{reason}: write {_EXAMPLES[key]}"


def _block(config: Values, key: str) -> dict[str, Any] | None:
    """An object of the configuration, which the engine hands over as JSON; None where it is none."""
    value = config.get(key)
    if isinstance(value, str) and value:
        try:
            value = json.loads(value)
        except ValueError:
            return None
    return {} if value in _EMPTY else value if isinstance(value, dict) else None
