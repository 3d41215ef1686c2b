"""From the configuration of a stack to `Settings`: decode, validate, fill in defaults, judge.

A refused value is reported and then left out, so that the rules can still judge the rest: one run shows every problem.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, TypeVar, cast, get_args

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from eks_analytics.backup_watch_checks import without_keys
from eks_analytics.problems import Problem
from eks_analytics.subnets import MINIMUM_ZONES

from .files import InstallationFiles
from .models import SECRETS, E6dataSettings, Settings
from .problems import HIDDEN, SECRET_NAME, Location, SettingsError, explain, key_path, nearest, unknown_key
from .rules import Judgement, warnings

# Whoever knows the URL of a webhook can write to it.
_WITH_URLS = "velero.watch"
_NAMESPACE = "eks-analytics"
# What a namespace has in common with this one at least; teams have packages for analytics of their own.
_NEAR = 0.85
# Of Pulumi.yaml and of a stack's file, in which the settings stand.
_SECTION = "config"
# Of the providers, and of Pulumi itself.
_PACKAGES = ("aws", "aws-native", "command", "eks", "kubernetes", "pulumi")
# Go's text of a time, which Pulumi makes of a date in YAML: https://pkg.go.dev/time#Time.String
_DATE = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?) ([-+]\d{4}) \S+")
_TELLING = 6
_NO_TEXT = re.compile(r"(int|bool|float|tuple|list|dict|model|model_attributes)_type")
AnyBlock = TypeVar("AnyBlock", bound=BaseModel)


def load(
    config: Mapping[str, Any],
    project_root: Path,
    *,
    dry_run: bool,
    project: str = "eks-analytics",
    stack: str = "dev",
    provider_region: str | None = None,
    secret_keys: Collection[str] = (),
    others: Mapping[str, object] | None = None,
    today: date | None = None,
) -> Settings:
    """Turn a stack's configuration into settings, or raise a `SettingsError` with all that is wrong with it.

    `config` maps the keys of this project, without their prefix, to values as Pulumi hands them to a program (text, and
    JSON text for everything else) or already decoded. `provider_region` is `aws:region`. Values of `secret_keys` are
    never shown. `others` are the keys of other namespaces, such as `aws:region`: none may be meant for this project.
    The files that the configuration names are read, below `project_root`; a preview (`dry_run`) goes on
    without those that are not there.
    """
    raw = _decode(config)
    secrets = {key: deepcopy(raw[key]) for key in {*secret_keys, *SECRETS} & raw.keys()}
    hidden = _hidden(secrets)
    region_key = "region" if raw.get("region") else "aws:region"
    raw["region"] = raw.get("region") or provider_region or ""
    settings, problems = _validate(raw, secret_keys)
    given = frozenset(_keys(raw))
    settings = _with_defaults(settings, given, stack)
    judgement = Judgement(
        settings=settings,
        given=given,
        project_root=project_root,
        dry_run=dry_run,
        provider_region=provider_region,
        own_tags={"project": project, "stack": stack, "environment": settings.environment},
        at=datetime.combine(today, time(12), UTC) if today else datetime.now(UTC),
        secret_keys=secret_keys,
        broken=[problem.input for problem in problems],
    )
    problems += [*_misspelt(others or {}, project), *judgement.problems()]
    if problems:
        problems += judgement.absent
        order = {key: position for position, key in enumerate(Settings.model_fields)}
        problems.sort(key=lambda problem: order.get(_top(problem.input), -1))
        named = [replace(found, input=region_key) if found.input == "region" else found for found in problems]
        raise SettingsError([_without_secrets(problem, secrets, hidden) for problem in named], stack)
    complete = settings.model_copy(update={"tags": {**settings.tags, **judgement.own_tags}})
    return complete.judged(
        [_veiled(warning, hidden) for warning in warnings(judgement)],
        InstallationFiles(
            license=judgement.found.content("license_file"),
            tls_certificate=judgement.found.content("tls_certificate_file"),
            tls_private_key=judgement.found.content("tls_private_key_file"),
            install_script=judgement.found.content("installation_plan"),
        ),
    )


def from_pulumi(project_root: Path) -> Settings:
    """The settings of the running program; logs their warnings, and ends the program cleanly where they are refused."""
    import pulumi  # the tools that read the models only must not wait for it
    from pulumi.runtime import config as runtime

    # The official language host hands the configuration over in the environment, the Automation API in the process.
    everything: dict[str, Any] = {**runtime.get_config_env(), **runtime.CONFIG.get()}
    prefix = f"{pulumi.get_project()}:"
    own = {key.removeprefix(prefix): value for key, value in everything.items() if key.startswith(prefix)}
    secrets = {*runtime.get_config_secret_keys_env(), *(key for key in everything if runtime.is_config_secret(key))}
    try:
        settings = load(
            own,
            project_root,
            dry_run=pulumi.runtime.is_dry_run(),
            project=pulumi.get_project(),
            stack=pulumi.get_stack(),
            provider_region=everything.get("aws:region"),
            secret_keys={key.removeprefix(prefix) for key in secrets},
            others={
                key: HIDDEN if key in secrets else value
                for key, value in everything.items()
                if not key.startswith(prefix)
            },
        )
    except SettingsError as error:
        raise pulumi.RunError(str(error)) from None
    for warning in settings.warnings:
        pulumi.log.warn(warning)
    return settings


def _misspelt(others: Mapping[str, object], project: str) -> Iterator[Problem]:
    """Keys whose namespace is nearly the project's: nothing would read them, and defaults stand in for their values."""
    for key, value in sorted(others.items()):
        namespace, _, name = key.partition(":")
        if meant := _meant(namespace, name, project):
            shown = HIDDEN if SECRET_NAME.search(key) or {namespace, name} & {*SECRETS} else _without_keys(_read(value))
            reason = f"nothing reads the namespace {namespace}; this project's namespace is {project}"
            yield Problem(key, shown, reason, f"did you mean {meant}?")


def _meant(namespace: str, name: str, project: str) -> str | None:
    """The key that was probably meant by one of a namespace that is nobody's."""
    if namespace in _PACKAGES:
        return None
    if namespace.lower() in _PACKAGES:
        return f"{namespace.lower()}:{name}"
    if nearest(namespace, (project, _NAMESPACE), likeness=_NEAR) or namespace.lower() == _SECTION:
        return f"{project}:{nearest(name, Settings.model_fields) or name}"
    if setting := nearest(namespace, Settings.model_fields, likeness=1):
        inside = block_of(Settings.model_fields[setting].annotation)
        return f"{project}:{setting}.{nearest(name, inside.model_fields) or name}" if inside else f"{project}:{setting}"
    return None


def _without_keys(value: object) -> object:
    return json.loads(without_keys(json.dumps(value, default=str)))


def _read(value: object) -> object:
    with suppress(ValueError):
        return json.loads(value) if isinstance(value, str) else value
    return value


def _decode(config: Mapping[str, Any]) -> dict[str, Any]:
    """Text stays text where the setting is text; the rest is JSON, and what is not JSON is left to the models."""
    decoded: dict[str, Any] = {}
    for key, value in config.items():
        decoded[key] = deepcopy(value)  # refused parts are taken out of it later
        if key in Settings.model_fields and isinstance(value, str) and not _is_text(key):
            with suppress(json.JSONDecodeError):
                decoded[key] = json.loads(value)
    return decoded


def _is_text(key: str) -> bool:
    annotation: Any = Settings.model_fields[key].annotation
    return annotation in (str, SecretStr)


def _validate(raw: dict[str, Any], secret_keys: Collection[str]) -> tuple[Settings, list[Problem]]:
    """The settings without what was refused, and why it was; takes the refused parts out of `raw`."""
    problems = list(_dates(raw))
    while True:
        try:
            return Settings.model_validate_json(json.dumps(raw)), problems
        except ValidationError as refusal:
            errors = refusal.errors(include_url=False)
        read = [_read_secret(raw, error) for error in errors if error["loc"][0] in secret_keys]
        if any(read):
            continue
        places: list[Location] = []
        for error in errors:
            at = error["loc"]
            if at[-1] == "[key]" and len(at) > 1:  # pydantic's mark of a refused key of a map
                at = at[:-1]
            places.append(at)
            value = error["input"] if at == error["loc"] else _value_at(raw, at)
            if error["type"] == "extra_forbidden":
                block = _model_at(at[:-1])
                known = dict.fromkeys(block.model_fields, "") | {
                    other: name for name, field in block.model_fields.items() for other in _instead_of(field)
                }
                problems.append(unknown_key(at, value, known, list(known_keys())))
            else:
                block = list(_model_at(at).model_fields) if error["type"] == "model_type" else []
                problems.append(Problem(key_path(at), value, *explain(error, block, _item_at(at))))
        for at in places:
            _take_out(raw, at)


def _read_secret(raw: dict[str, Any], error: ErrorDetails) -> bool:
    """Pulumi keeps every secret as text: where a setting is none, what the text says in JSON takes its place."""
    if not isinstance(error["input"], str) or not _NO_TEXT.fullmatch(error["type"]):
        return False
    try:
        read = json.loads(error["input"])
    except ValueError:
        return False
    holder, last = _value_at(raw, error["loc"][:-1]), error["loc"][-1]
    holder[last] = read
    return not isinstance(read, str)


def _dates(raw: dict[str, Any]) -> Iterator[Problem]:
    """What was a date without quotes in the stack's file: Pulumi makes another text of it. Taken out of `raw`."""
    for at, text in list(_texts(raw)):
        if found := _DATE.fullmatch(text):
            date, time, zone = found.groups()
            zone = "Z" if zone == "+0000" else f"{zone[:3]}:{zone[3:]}"
            meant = date if (time, zone) == ("00:00:00", "Z") else f"{date}T{time}{zone}"
            yield Problem(key_path(at), text, "must be text, not a date", f'write it in quotes: "{meant}"')
            _take_out(raw, at)


def _texts(value: Any, at: Location = ()) -> Iterator[tuple[Location, str]]:
    """All texts in a configuration, keys included."""
    if isinstance(value, str):
        yield at, value
    elif isinstance(value, dict):
        for key, item in cast("dict[str, Any]", value).items():
            if _DATE.fullmatch(key):
                yield (*at, key), key
            else:
                yield from _texts(item, (*at, key))
    elif isinstance(value, list):
        for index, item in enumerate(cast("list[Any]", value)):
            yield from _texts(item, (*at, index))


def known_keys(model: type[BaseModel] = Settings, block: str = "") -> Iterator[str]:
    """The paths of all settings, blocks included, a list's items as `[]`: `network`, `network.cidr`, ..."""
    for name, declared in model.model_fields.items():
        key = f"{block}{name}"
        yield key
        if inner := block_of(declared.annotation):
            yield from known_keys(inner, f"{key}[]." if get_args(declared.annotation) else f"{key}.")


def block_of(annotation: object) -> type[BaseModel] | None:
    """The model that a field holds, by itself or in a list."""
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


def _model_at(at: Location) -> type[BaseModel]:
    """The block to which a location leads."""
    model: type[BaseModel] = Settings
    for part in at:
        if isinstance(part, str):
            model = block_of(model.model_fields[part].annotation) or model
    return model


def _item_at(at: Location) -> type[BaseModel] | None:
    """The model of the blocks in the list to which a location leads."""
    field = _model_at(at[:-1]).model_fields.get(str(at[-1]))
    return block_of(field.annotation) if field and get_args(field.annotation) else None


def _instead_of(field: FieldInfo) -> list[str]:
    """Names that people write for a setting, and that no setting has."""
    extra = field.json_schema_extra
    return cast("dict[str, Any]", extra).get("instead_of", []) if isinstance(extra, dict) else []


def _value_at(raw: Any, at: Location) -> Any:
    for part in at:
        raw = raw[part]
    return raw


def _take_out(raw: dict[str, Any], at: Location) -> None:
    """Remove the innermost key that the location leads to, or empty the item of a list of blocks."""
    holder: Any = raw
    place: Any = at[0]
    inside = block_of(Settings.model_fields[place].annotation) if place in Settings.model_fields else None
    for part in at[1:]:
        below: Any = holder[place] if isinstance(place, int) else holder.get(place)
        if below is None or not (inside or _is_map(below)):  # a list of plain values goes as a whole
            break
        holder, place = below, part
        if inside and isinstance(part, str):
            inside = block_of(inside.model_fields[part].annotation) if part in inside.model_fields else None
    if isinstance(place, int):
        holder[place] = {}
    else:
        holder.pop(place, None)


def _is_map(value: object) -> bool:
    return isinstance(value, dict)


def _keys(raw: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """The settings that a configuration holds; an empty block, the neutral default of Pulumi.yaml, holds nothing."""
    for key, value in raw.items():
        if value in ({}, [], "") and not prefix:
            continue
        yield f"{prefix}{key}"
        if isinstance(value, dict):
            yield from _keys(cast("dict[str, Any]", value), f"{prefix}{key}.")
        elif isinstance(value, list):
            for index, item in enumerate(cast("list[Any]", value)):
                if isinstance(item, dict):
                    yield from _keys(cast("dict[str, Any]", item), f"{prefix}{key}[{index}].")


def _with_defaults(settings: Settings, given: Collection[str], stack: str) -> Settings:
    """Fill in the defaults that depend on other settings."""

    def filled(block: AnyBlock, at: str, **defaults: Any) -> AnyBlock:
        return block.model_copy(update={key: value for key, value in defaults.items() if f"{at}{key}" not in given})

    def e6data() -> E6dataSettings:
        block = settings.e6data
        identity = "irsa" if block.existing_cluster.enabled else "pod-identity"
        workspaces = tuple(
            filled(workspace, f"e6data.workspaces[{index}].", zones=settings.availability_zones)
            for index, workspace in enumerate(block.workspaces)
        )
        karpenter = filled(block.karpenter, "e6data.karpenter.", identity=identity)
        controller = filled(block.load_balancer_controller, "e6data.load_balancer_controller.", identity=identity)
        return block.model_copy(
            update={"workspaces": workspaces, "karpenter": karpenter, "load_balancer_controller": controller}
        )

    network = filled(
        settings.network,
        "network.",
        name_prefix=settings.cluster_name,
        nat_gateways="one-per-az" if settings.production or settings.product == "e6data" else "single",
    )
    cluster = filled(
        settings.cluster,
        "cluster.",
        deletion_protection=settings.production,
        control_plane_zones=settings.availability_zones[:MINIMUM_ZONES],
    )
    groups = tuple(
        filled(
            group,
            f"node_groups[{index}].",
            desired_size=group.min_size,
            availability_zones=cluster.control_plane_zones,
        )
        for index, group in enumerate(settings.node_groups)
    )
    blocks: dict[str, Any] = {"network": network, "cluster": cluster, "node_groups": groups}
    if settings.backs_up:
        identity = "irsa" if settings.velero.profile == "documented" else "pod-identity"
        blocks["velero"] = filled(settings.velero, "velero.", identity=identity)
    if settings.product == "e6data":
        blocks["e6data"] = e6data()
    return filled(settings, "", environment=stack).model_copy(update=blocks)


def _top(key: str) -> str:
    return re.split(r"[.[]", key, maxsplit=1)[0]


def _without_secrets(problem: Problem, secrets: Mapping[str, Any], hidden: Collection[str]) -> Problem:
    key = _top(problem.input)
    if key in secrets and problem.value not in (None, HIDDEN):
        telling = _telling(secrets[key], problem.value)
        shown = _unless(telling, problem.reason, "was refused; why is not shown, because the key is a secret")
        remedy = _unless(telling, problem.remedy, "compare it with the configuration table in README.md")
        return Problem(problem.input, HIDDEN, shown, remedy)
    if hidden:  # another setting may be refused because of a secret one
        problem = replace(
            problem,
            value=_veiled_in(problem.value, hidden),
            reason=_veiled(problem.reason, hidden),
            remedy=_veiled(problem.remedy, hidden),
        )
    if not problem.input.startswith(_WITH_URLS):
        return problem
    value = _without_keys(problem.value)
    # A remedy repeats the value at most; an example of its own stays.
    return problem if value == problem.value else replace(problem, value=value, remedy=without_keys(problem.remedy))


def _telling(block: object, refused: object) -> set[str]:
    """What a message may have from a secret: the texts of its block, and parts of the value that was refused."""
    whole = {text for text in _scalars(block) if len(text) > 1}
    parts = {part for text in _scalars(refused) for part in re.findall(r"\w{2,}|[^\w\s.,:;'()/*-]|[^\x00-\x7f]", text)}
    return {text.lower() for text in whole | parts}


def _scalars(value: object) -> Iterator[str]:
    """All texts and numbers, keys included."""
    if isinstance(value, Mapping):
        for key, item in cast("Mapping[str, Any]", value).items():
            yield key
            yield from _scalars(item)
    elif isinstance(value, list | tuple):
        for item in cast("list[Any]", value):
            yield from _scalars(item)
    elif not isinstance(value, bool) and value is not None:
        yield str(value)


def _unless(telling: Collection[str], text: str, otherwise: str) -> str:
    folded = text.lower()
    return otherwise if any(part in folded for part in telling) else text


def _hidden(secrets: Mapping[str, Any]) -> list[str]:
    """The texts in secret keys that are long enough to be told from others, the longest first."""
    return sorted({text for _, text in _texts(secrets) if len(text) >= _TELLING}, key=len, reverse=True)


def _veiled(text: str, hidden: Collection[str]) -> str:
    for secret in hidden:
        text = text.replace(secret, HIDDEN)
    return text


def _veiled_in(value: Any, hidden: Collection[str]) -> Any:
    if isinstance(value, str):
        return _veiled(value, hidden)
    if isinstance(value, Mapping):
        parts = cast("Mapping[str, Any]", value)
        return {_veiled(str(key), hidden): _veiled_in(part, hidden) for key, part in parts.items()}
    if isinstance(value, list | tuple):
        return [_veiled_in(part, hidden) for part in cast("list[Any]", value)]
    return HIDDEN if str(value) in hidden else value  # a secret may be a number
