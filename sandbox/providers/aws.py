"""The stand-in for pulumi-aws: executes the rows of the table against the emulated AWS."""

import difflib
import json
import re
import time
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from sandbox.durations import create_seconds, delete_seconds
from sandbox.knobs import Knobs
from sandbox.providers.aws_api import ACCOUNT_ID, Api, AwsError, Cloud, Thing, find, partition_of
from sandbox.providers.aws_functions import FUNCTIONS
from sandbox.providers.aws_rows import ROWS
from sandbox.providers.protocol import (
    UNKNOWN,
    Changes,
    InvalidInputsError,
    ProviderError,
    Resource,
    StandIn,
    Values,
    generated_name,
)
from sandbox.providers.schema import Schema, Type, check_inputs, fields_of, plain, schema_of
from sandbox.providers.shapes import counterpart, from_aws, member_of, operation, to_aws, violations
from sandbox.providers.table import ANY, REFERENCE, Call, Fetch, Row, references

_EMPTY = (None, "", False, [], {})
_FROM_THE_ENGINE = {"version", "pluginDownloadURL", "__internal"}
UNFINISHED = "__unfinished"  # in a state: the inputs that a failure kept from being written


class AwsProvider(StandIn):
    """Stands in for pulumi-aws. `cloud` is asked for only when something is read or written."""

    version = "7.51.1"

    def __init__(self, cloud: Callable[[], Cloud], knobs: Knobs, announce: Callable[[str], None]) -> None:
        super().__init__()
        self._cloud, self._knobs, self._announce = cloud, knobs, announce
        self._announced: set[str] = set()

    def check_config(self, config: Values) -> None:
        problems = list(_unknown_keys(config))
        if not config.get("region"):
            problems.append(("region", "is missing: set aws:region"))
        if problems:
            raise InvalidInputsError(problems)

    def check(self, resource: Resource, old: Values, new: Values, seed: bytes) -> Values:
        row, schema = _row(resource.type)
        failures = [
            (path, "is not of the property's type" if path in row.secret else reason)
            for path, reason in check_inputs(schema, new)
        ]
        if failures:
            raise InvalidInputsError(failures)
        inputs = _with_defaults(row, {key: plain(schema.inputs[key], value) for key, value in new.items()})
        if row.name and row.name not in inputs and not _name_prefix(row, inputs):
            former, form = old.get(row.name), row.name_format
            inputs[row.name] = former if _is_automatic(former) else form.format(_automatic_name(row, resource, seed))
        place = _place(self._region(resource, inputs))
        scope = ({row.name: UNKNOWN} if row.name else {}) | inputs | place
        request, problems = _create_request(row, schema, scope, resource.type)
        problems += _choices(row, scope)
        if not problems:
            shape = operation(row.service, row.create.operation).input_shape
            problems = [("", f"AWS would refuse it: {text}") for text in violations(request, shape)]
        if row.validate and not problems:
            problems = list(row.validate(scope))
        if problems:
            raise InvalidInputsError(problems)
        return inputs

    def diff(self, resource: Resource, id: str, old: Values, state: Values, new: Values, ignored: list[str]) -> Changes:
        row, schema = _row(resource.type)
        old = _carried_out(old, state)
        if (prefix := _name_prefix(row, new)) and str(state.get(row.name)).startswith(str(new[prefix])):
            old = {key: value for key, value in old.items() if key != row.name} | {prefix: new[prefix]}
        before = _as_returned(row, schema, old, state)
        changed = _differences(row, schema, before, new, ignored)
        if not changed:  # what is left to do shows in no input: the next update must come nevertheless
            changed = dict.fromkeys(state.get(UNFINISHED, ()), "update")
        updatable = _updatable(row)
        replaced = {*row.replace, *(path for path, applies in row.replace_when.items() if applies(before, new))}
        replacing = {path for path in changed if _within(path, replaced) or not _within(path, updatable)}
        region = self._region(resource, new)
        if state.get("region", region) != region:
            changed["region"] = "update"
            replacing.add("region")
        name = new.get(row.name) if row.name else None
        taken = name is not None and name == old.get(row.name) and not _is_automatic(name)
        return Changes(changed, replacing, taken or row.delete_first)

    def create(self, resource: Resource, inputs: Values, preview: bool) -> tuple[str, Values]:
        row, schema = _row(resource.type)
        api, thing = self._api(resource, inputs), Thing(resource.type, "", dict(inputs))
        if preview:
            return "", _planned(row, schema, inputs, api.region)
        if prefix := _name_prefix(row, inputs):
            thing.record[row.name] = f"{inputs[prefix]}{time.time_ns()}{uuid.uuid4().hex[:7]}"
        extra: Values = {}
        if row.before_create:
            extra = row.before_create(api, thing) or {}
        self.sleep(create_seconds(resource.type, inputs) * self._knobs.latency)
        scope = {**thing.record, **_scope(api, thing, {})}
        request, _ = _create_request(row, schema, scope | extra, resource.type)
        if row.kept:
            self._record(api, row, row.create, request)
            thing.id = _identity(row, scope) or f"{row.kept}{uuid.uuid4().hex[:16]}"
        else:
            answer = api.call(row.service, row.create.operation, **request)
            thing.id = _identity(row, scope) or find(row.id, answer)  # pyright: ignore[reportArgumentType]  # else a path
        thing.record |= dict(inputs) if row.kept else _pick(row.recorded, inputs)
        self._announce_recorded(resource.type, {path for path in row.recorded if _get(inputs, path) not in _EMPTY})
        if row.kept:
            self._announce_recorded(resource.type, {row.create.operation})
        late = {key for key in inputs if key not in _taken_by_create(resource.type)}
        thing.left = late | {*row.hooked}
        _put_record(api, thing, {})
        try:
            look = _look(api, row, schema, thing)
            thing.state = look.seen if look else {}
            self._write(api, row, schema, thing, {}, late)
            return thing.id, _settled(api, row, schema, thing)
        except ProviderError as error:
            raise ProviderError(str(error), thing.id, _after_failure(api, row, schema, thing, {}), inputs) from error

    def read(self, resource: Resource, id: str, inputs: Values, state: Values) -> tuple[str, Values, Values] | None:
        row, schema = _row(resource.type)
        api, thing = self._api(resource, {**inputs, **state}), Thing(resource.type, id, inputs, state)
        thing.record = _recorded(api, thing) or {}
        look = _look(api, row, schema, thing)
        if look is None:
            return None
        if inputs:
            given = _as_returned(row, schema, inputs, look.seen)
            given |= {"tags": look.seen["tags"]} if look.seen.get("tags") and "tags" not in inputs else {}
        else:
            usable = _taken_by_create(resource.type) | {path.split(".")[0] for path in _updatable(row)}
            known = _with_defaults(row, {}) | {
                key: look.seen.get(key) for key in schema.inputs if key in usable - {*row.local, *row.quiet}
            }
            given = {key: value for key, value in known.items() if value not in _EMPTY or key in row.defaults}
            thing.inputs = given
        given = {key: value for key, value in given.items() if value is not None}
        thing.left = {*state.get(UNFINISHED, ())}
        return look.id, given, _half_written(row, schema, thing, look, _carried_out(inputs, state))

    def update(self, resource: Resource, id: str, old: Values, state: Values, new: Values, preview: bool) -> Values:
        row, schema = _row(resource.type)
        old = _carried_out(old, state)
        api, thing = self._api(resource, new), Thing(resource.type, id, new, state, old)
        if preview:
            return _planned(row, schema, new, api.region, old, state)
        changed = {*_differences(row, schema, _as_returned(row, schema, old, state), new, resource.ignored)}
        changed |= {*state.get(UNFINISHED, ())} - {*row.hooked}
        thing.left = changed | {*row.hooked}
        thing.record = dict(new) if row.kept else (_recorded(api, thing) or {}) | _pick(row.recorded, new)
        self._announce_recorded(resource.type, {path for path in row.recorded if _within(path, changed)})
        try:
            if row.identify and (look := _look(api, row, schema, thing)):
                thing.id = look.id
            if row.before_update:
                row.before_update(api, thing)
            self._write(api, row, schema, thing, old, changed)
            return _settled(api, row, schema, thing)
        except ProviderError as error:
            raise ProviderError(str(error), id, _after_failure(api, row, schema, thing, old), new) from error

    def delete(self, resource: Resource, id: str, inputs: Values, state: Values) -> None:
        row, schema = _row(resource.type)
        api, thing = self._api(resource, {**inputs, **state}), Thing(resource.type, id, inputs, state)
        thing.record = _recorded(api, thing) or {}
        if look := _look(api, row, schema, thing):
            thing.id = look.id if row.identify else id
            if row.before_delete:
                row.before_delete(api, thing)
            self.sleep(delete_seconds(resource.type) * self._knobs.latency)
            scope = {**state, **_scope(api, thing, {})}
            calls = [call for call in row.delete if _applies(call, scope)]
            if calls and row.tags and row.tags.outlive:
                self._write_tags(api, row, schema, scope, look.seen["tags"], {})
            for call in calls:
                try:
                    self._send(api, row, schema, call, scope)
                except AwsError as error:
                    if not error.not_found:
                        raise
        if row.after_delete:
            row.after_delete(api, thing)
        api.cloud.store("recorded").delete(_record_key(api, thing))

    def invoke(self, token: str, args: Values, preview: bool, config: Values) -> Values:
        if token not in FUNCTIONS:
            raise ProviderError(f"function {token} is not supported by the embedded cloud")
        return FUNCTIONS[token](self._api(Resource("", token, "", config), args), args)

    def _region(self, resource: Resource, values: Values) -> str:
        return values.get("region") or resource.config.get("region", "")

    def _api(self, resource: Resource, values: Values) -> Api:
        return Api(self._cloud, self._region(resource, values), self._knobs)

    def _announce_recorded(self, token: str, names: set[str]) -> None:
        self.announce_once(f"{token}: {name} is recorded, not emulated" for name in sorted(names))

    def announce_once(self, texts: Iterable[str]) -> None:
        for text in texts:
            if text not in self._announced:
                self._announced.add(text)
                self._announce(text)

    def _send(self, api: Api, row: Row, schema: Schema, call: Call, scope: Values) -> None:
        request, problems = _request(row, call, scope, [key for key in call.properties if key in schema.inputs])
        if problems:
            raise ProviderError(f"{row.service}:{call.operation}: {InvalidInputsError(problems)}")
        if call.recorded or row.kept:
            self._record(api, row, call, request)
        else:
            api.call(row.service, call.operation, **request)

    def _record(self, api: Api, row: Row, call: Call, request: Values) -> None:
        """Stands for a call that no emulator takes: AWS would check it against the same service model."""
        shape = operation(row.service, call.operation).input_shape
        if problems := [("", text) for text in violations(request, shape)]:
            raise ProviderError(f"{row.service}:{call.operation}: {InvalidInputsError(problems)}")
        api.may_fail(row.service, call.operation)
        api.cloud.note(row.service, call.operation, recorded=True)

    def _write(self, api: Api, row: Row, schema: Schema, thing: Thing, old: Values, changed: set[str]) -> None:
        """What a creation leaves over, and every update: the calls that take a changed property, then the tags. A
        failure leaves in `thing.left` what is not written."""
        scope = {row.name: thing.state.get(row.name)} | _scope(api, thing, old)
        before, steps = _recorded(api, thing) or {}, list(self._steps(api, row, schema, thing, scope, old, changed))
        try:
            while steps:
                thing.left = {path for paths, _ in steps for path in paths}
                steps[0][1]()
                steps.pop(0)
            thing.left = set()
        finally:
            _put_record(api, thing, before)

    def _steps(
        self, api: Api, row: Row, schema: Schema, thing: Thing, scope: Values, old: Values, changed: set[str]
    ) -> Iterator[tuple[set[str], Callable[[], None]]]:
        """The inputs that each step writes, and the step."""
        for call in row.updates:
            touched = {name for name in call.properties if _within(name, changed) or _around(name, changed)}
            if touched and _applies(call, scope):
                yield touched, partial(self._update, api, row, schema, thing, scope, call, touched)
        if row.tags and _around("tags", changed) and (old or not row.tags.member):
            yield {"tags"}, partial(self._retag, api, row, schema, thing, scope, old)
        if row.after_write:
            yield {*row.hooked}, partial(row.after_write, api, thing)

    def _update(
        self, api: Api, row: Row, schema: Schema, thing: Thing, scope: Values, call: Call, touched: set[str]
    ) -> None:
        gone = {key: "" for key in row.emptied if key in touched and key not in thing.inputs}
        self._send(api, row, schema, call, scope | gone)
        if call.recorded:
            self._announce_recorded(thing.type, {call.operation})
            for name in {path.split(".")[0] for path in touched}:
                empty: Any = {"list": [], "map": {}, "object": {}}.get(schema.inputs[name].kind)
                value = thing.inputs.get(name, empty)
                thing.record[name] = _overlay(thing.record.get(name), value, schema.inputs[name])

    def _retag(self, api: Api, row: Row, schema: Schema, thing: Thing, scope: Values, old: Values) -> None:
        assert row.tags
        self._write_tags(api, row, schema, scope, old.get("tags") or {}, thing.inputs.get("tags") or {})
        if row.tags.tag.recorded:
            thing.record["tags"] = thing.inputs.get("tags") or {}
            self._announce_recorded(thing.type, {row.tags.tag.operation})

    def _write_tags(self, api: Api, row: Row, schema: Schema, scope: Values, before: Values, after: Values) -> None:
        assert row.tags
        if row.tags.whole:
            call = row.tags.tag if after else row.tags.untag
            self._send(api, row, schema, call, {**scope, "tags": _tag_form(row, after)})
            return
        gone = [key for key in before if key not in after]
        for keys in [[key] for key in gone] if row.tags.one_by_one else [gone] if gone else []:
            key_name = (row.tags.names or ("Key",))[0]
            listed = [{key_name: key} for key in keys]
            self._send(api, row, schema, row.tags.untag, {**scope, "tagKeys": keys, "tagKeyList": listed})
        added = {key: value for key, value in after.items() if before.get(key) != value}
        if added:
            self._send(api, row, schema, row.tags.tag, {**scope, "tags": _tag_form(row, added)})


def provider_arguments() -> dict[str, Type]:
    """What the provider can be configured with."""
    from pulumi_aws import ProviderArgs  # slow to import, and programs with a provider have it already

    return fields_of(ProviderArgs)


def _unknown_keys(config: Values) -> Iterator[tuple[str, str]]:
    """`validateProviderConfig` in pkg/tfbridge/provider.go of github.com/pulumi/pulumi-terraform-bridge."""
    known = provider_arguments()
    for key in sorted(config.keys() - known.keys() - _FROM_THE_ENGINE):
        near = difflib.get_close_matches(key, known, 1)
        hint = f"; did you mean `aws:{near[0]}`?" if near else ": choose another namespace for what is not its own"
        yield key, f"`aws:{key}` is not a valid configuration key for the aws provider{hint}"


def find_by_tags(cloud: Cloud, token: str, inputs: Values, region: str) -> list[str]:
    """Ids of existing resources that an interrupted creation may have made: by identity where the inputs fix it, else
    by everything that the create call takes, tags among it. Empty where it cannot be told."""
    row, schema = _row(token)
    api = Api(lambda: cloud, inputs.get("region") or region)
    if identity := _identity(row, inputs):
        return [identity] if _look(api, row, schema, Thing(token, identity, inputs)) else []
    if not row.listing or (row.tags and not inputs.get("tags")):
        return []
    shown = _taken_by_create(token) - {*row.recorded, *row.unread} | ({"tags"} if row.tags else set[str]())
    told = {key: value for key, value in _returned(row, inputs).items() if key in shown}
    looks = [look for id in row.listing(api) if (look := _look(api, row, schema, Thing(token, id, {})))]
    return [
        look.id
        for look in looks
        if all(equivalent(value, look.seen.get(key), schema.inputs[key]) for key, value in told.items())
    ]


@dataclass
class Look:
    """A resource as AWS shows it: its properties, whether AWS has finished, and its id, which an import may spell
    in another way."""

    seen: Values
    settled: bool
    id: str


def _look(api: Api, row: Row, schema: Schema, thing: Thing) -> Look | None:
    """None where the resource does not exist (any more)."""
    parsed = _parsed(row.import_id or (row.id if isinstance(row.id, str) else ""), thing.id)
    scope = thing.state | thing.record | _scope(api, thing, {}) | {k: v for k, v in parsed.items() if k == "id"}
    scope = parsed | scope
    found: Values = {"id": scope.get("id", thing.id)}
    if row.kept and not thing.record:
        thing.record = _recorded(api, thing) or {}
        if not thing.record:
            return None
    for fetch in row.read:
        part = _fetch(api, row, fetch, {**scope, "found": found})
        if part is None and fetch is row.read[0]:
            return None
        found |= {fetch.key: part} if fetch.key else part or {}
    if row.alive and not find(row.alive, found):
        return None
    texts = {**_place(api.region), **{key: value for key, value in found.items() if isinstance(value, str)}}
    seen: Values = {}
    for key, kind in schema.outputs.items():
        path, source = row.outputs.get(key), row.rename.get(key) or counterpart(key, found)
        if path and path.startswith("arn:"):
            seen[key] = path.format(**texts)
        else:
            raw = find(path, {**scope, **found}) if path else found.get(source) if source else None
            seen[key] = from_aws(raw, kind, key, row.rename)
    seen |= {key: _overlay(seen.get(key), value, schema.outputs[key]) for key, value in thing.record.items()}
    seen |= {key: thing.inputs[key] for key in row.unread if key in thing.inputs}
    seen = _returned(row, {key: value for key, value in seen.items() if value is not None})
    if row.tags:
        holder = _fetch(api, row, row.tags.read, {**scope, "found": found}) if row.tags.read else found
        seen["tags"] = seen["tagsAll"] = thing.record.get("tags", _tags_of(row, holder))
    if "region" in schema.outputs:
        seen["region"] = api.region
    id = find(row.identify, found) if row.identify else _identity(row, seen) if callable(row.id) else thing.id
    return Look(seen, not row.settled or bool(find(row.settled, found)), id or thing.id)


def _settled(api: Api, row: Row, schema: Schema, thing: Thing) -> Values:
    """Waits until AWS has finished; refuses to pretend that the emulator keeps what it dropped."""
    deadline = time.monotonic() + 30
    while (look := _look(api, row, schema, thing)) is not None and not look.settled:
        if time.monotonic() > deadline:
            raise ProviderError(f"{thing.id} did not become ready within 30 s")
        time.sleep(0.05)
    if look is None:
        raise ProviderError(f"{thing.id} does not exist right after it was written")
    lost = [
        key if key in row.secret else f"{key} ({value!r} became {look.seen.get(key)!r})"
        for key, value in _returned(row, thing.inputs).items()
        if key not in (*row.local, *row.inert) and not equivalent(value, look.seen.get(key), schema.inputs[key])
    ]
    if lost:
        raise ProviderError(f"the emulator does not keep {', '.join(sorted(lost))}")
    return _state(row, schema, thing, look)


def _state(row: Row, schema: Schema, thing: Thing, look: Look) -> Values:
    """What AWS shows, in the words of the inputs where both mean the same."""
    state = {key: thing.state[key] for key in row.local if key in thing.state} | look.seen
    for key, value in thing.inputs.items():
        kept = value if key in row.local else _keep(value, look.seen.get(key), schema.inputs[key])
        state[key] = _overlay(look.seen.get(key), kept, schema.outputs.get(key, schema.inputs[key]))
    hidden = {key for key in row.quiet if key not in thing.inputs}
    state = {key: value for key, value in state.items() if value is not None and key not in hidden}
    return {key: value for key, value in state.items() if (key, value) != ("tags", {})}


def _after_failure(api: Api, row: Row, schema: Schema, thing: Thing, old: Values) -> Values:
    """The state of a thing that is made or changed in part, as far as AWS can be asked."""
    look = None
    with suppress(ProviderError):
        look = _look(api, row, schema, thing)
    return _half_written(row, schema, thing, look or Look(thing.state, False, thing.id), old)


def _half_written(row: Row, schema: Schema, thing: Thing, look: Look, old: Values) -> Values:
    """What AWS shows, and which inputs it does not have yet: the engine records a failed resource with all of its new
    inputs, so that nothing else would tell the next update what is left to do."""
    state, left = _state(row, schema, thing, look), {path for path in thing.left if path.split(".")[0] in schema.inputs}
    for key in {path.split(".")[0] for path in left}:
        told = not (row.kept or _around(key, (*row.local, *row.unread, *row.recorded)))
        state[key] = _keep(thing.inputs.get(key), look.seen.get(key), schema.inputs[key]) if told else old.get(key)
    state = {key: value for key, value in state.items() if value is not None}
    return state | ({UNFINISHED: sorted(left)} if left else {})


def _carried_out(inputs: Values, state: Values) -> Values:
    """The inputs as far as AWS has them: those of the last update, but for what a failure kept from being written."""
    left = {key: state.get(key) for key in (path.split(".")[0] for path in state.get(UNFINISHED, ()))}
    return {key: value for key, value in (inputs | left).items() if value is not None}


def _planned(
    row: Row, schema: Schema, inputs: Values, region: str, old: Values | None = None, state: Values | None = None
) -> Values:
    """The state as a preview can know it: what AWS is to fill in is unknown, unless it was there and stays."""
    state = state or {}
    touched = any(not _within(path, ("tags",)) for path, _ in _changes(old or {}, inputs, schema.inputs))
    planned: Values = {"tagsAll": inputs.get("tags", {})} if row.tags else {}
    for key in schema.outputs:
        if key in inputs:
            planned[key] = inputs[key]
            for path in row.computed:
                outer, _, inner = path.partition(".")
                if outer == key and inner and isinstance(planned[key], dict):
                    planned[key] = {inner: _get(state, path) or UNKNOWN} | planned[key]
        elif key == "region":
            planned[key] = region
        elif key in ("tags", "tagsAll") or (key in schema.inputs and key not in (*row.computed, row.name)):
            continue
        else:
            planned[key] = UNKNOWN if key not in state or (touched and key in row.volatile) else state[key]
    return planned


def _with_defaults(row: Row, inputs: Values) -> Values:
    """The inputs with what the provider fills in: a value that is taken away goes back to it."""
    filled = {path: value for path, value in row.defaults.items() if "." not in path} | inputs
    for path, value in row.defaults.items():
        outer, _, inner = path.partition(".")
        if inner and isinstance(filled.get(outer), dict):
            filled[outer] = {inner: value} | filled[outer]
    return filled


def _choices(row: Row, inputs: Values) -> Iterator[tuple[str, str]]:
    for names in row.one_of:
        given = [name for name in names if inputs.get(name) not in _EMPTY]
        if len(given) != 1:
            yield (
                given[0] if given else names[0],
                (f"exactly one of {', '.join(names)} must be given, not {' and '.join(given) or 'none'}"),
            )
    if row.name and f"{row.name}Prefix" in inputs and inputs.get(row.name) not in (None, UNKNOWN):
        yield row.name, f"cannot be set beside {row.name}Prefix"


def _returned(row: Row, values: Values) -> Values:
    """The values as AWS returns them, where it writes them in another way."""
    return {
        key: row.returned[key](value) if key in row.returned and value is not UNKNOWN else value
        for key, value in values.items()
    }


def _as_returned(row: Row, schema: Schema, inputs: Values, seen: Values) -> Values:
    """The inputs in AWS's words where these mean something else to the provider, without what AWS does not have."""
    own = {*row.local, *(key for key in row.suppressed if _same_form(row, key, inputs, seen))}
    kept = {
        key: value if key in own else _keep(value, seen.get(key), schema.inputs[key]) for key, value in inputs.items()
    }
    return {key: value for key, value in kept.items() if value is not None}


def _same_form(row: Row, key: str, one: Values, other: Values) -> bool:
    return _returned(row, _pick((key,), one)) == _returned(row, _pick((key,), other))


def _differences(
    row: Row, schema: Schema, before: Values, new: Values, ignored: Collection[str] = ()
) -> dict[str, str]:
    """Paths in which the inputs differ from what AWS has, and how; not those in which the provider sees no change."""
    same = {key for key in row.suppressed if _same_form(row, key, before, new)}
    changes = {key: "update" for key in row.ordered if before.get(key) != new.get(key)}
    return {
        path: kind
        for path, kind in (changes | dict(_changes(before, new, schema.inputs))).items()
        if not (kind == "delete" and _within(path, row.computed)) and not _within(path, {*ignored, *same})
    }


def _row(token: str) -> tuple[Row, Schema]:
    row, schema = ROWS.get(token), schema_of(token)
    if row is None or schema is None:
        raise ProviderError(f"resource type {token} is not supported by the embedded cloud")
    return row, schema


def _identity(row: Row, values: Values) -> str | None:
    """The id where the inputs determine it."""
    if callable(row.id):
        return row.id(values)
    named = set(re.findall(r"{(\w+)}", row.id))
    return row.id.format_map(values) if named and named <= set(values) else None


def _updatable(row: Row) -> set[str]:
    paths = {path for call in row.updates for path in call.properties} | {*row.local, *row.hooked}
    return (paths | ({"tags"} if row.tags else set())) - {f"{row.name}Prefix"}


def takes_several_calls(token: str) -> bool:
    """Whether a creation can take more than the create call."""
    row, schema = _row(token)
    late = {*schema.inputs} - _taken_by_create(token)
    calls = {path.split(".")[0] for call in row.updates for path in call.properties}
    return bool(late & calls or row.after_write or (row.tags and not row.tags.member))


@cache
def _taken_by_create(token: str) -> frozenset[str]:
    """The properties that the create call takes."""
    row, schema = _row(token)
    shape: Any = operation(row.service, row.create.operation).input_shape
    inner = shape.members[row.create.into] if row.create.into else shape
    taken = references(row.create.params)
    if not row.create.strict:
        taken |= {key for key in schema.inputs if _member(row, inner, key)}
    taken |= {"tags"} if row.tags and row.tags.member else set()
    other = {*row.local, *row.unsupported, "region", *(() if row.tags else ("tags",))}
    return frozenset(taken & set(schema.inputs) - other)


def supported_inputs(token: str) -> frozenset[str]:
    row, _ = _row(token)
    updated = {path.split(".")[0] for path in _updatable(row)}
    return _taken_by_create(token) | updated | ({f"{row.name}Prefix"} if row.name else set())


def _member(row: Row, shape: Any, key: str) -> str | None:
    member = row.rename.get(key) or member_of(shape, key)
    return member if member in shape.members else None


def _create_request(row: Row, schema: Schema, scope: Values, token: str) -> tuple[Values, list[tuple[str, str]]]:
    taken = _taken_by_create(token)
    given = {key: value for key, value in scope.items() if key in schema.inputs and value not in (None, [], {})}
    request, problems = _request(row, row.create, scope, [key for key in given if key in taken and key != "tags"])
    known = supported_inputs(token) | {"region"}
    named = [key for key in given if key not in known] + [path for path in row.unsupported if "." in path]
    problems += [(path, "is not supported by the embedded cloud") for path in named if _get(given, path) not in _EMPTY]
    if row.tags and row.tags.member and "tags" in given:
        tags = _tag_form(row, given["tags"])
        kind = row.tags.resource_type
        request[row.tags.member] = [{"ResourceType": kind, "Tags": tags}] if kind else tags
    return request, problems


def _request(row: Row, call: Call, scope: Values, properties: list[str]) -> tuple[Values, list[tuple[str, str]]]:
    """The call's parameters: its templates filled in, and the properties that no template mentions."""
    shape: Any = operation(row.service, call.operation).input_shape
    inner = shape.members[call.into] if call.into else shape
    problems: list[tuple[str, str]] = []
    request: Values = _fill(call.params, shape, scope, row, problems) or {}
    named, into = references(call.params), request
    if call.into:
        into = request[call.into] = request.get(call.into, {})
    given = scope | scope.get("inputs", {})  # an input may be called `state` as well
    for key in properties:
        member = _member(row, inner, key)
        if key not in named and member and given.get(key) is not None:
            into[member] = to_aws(given[key], inner.members[member], key, row.rename, problems)
    return request, problems


def _fill(template: Any, shape: Any, scope: Values, row: Row, problems: list[tuple[str, str]]) -> Any:
    """None where the template refers to something that is not there; `$!x` takes the object around it away too."""
    if isinstance(template, str) and (match := REFERENCE.fullmatch(template)):
        return to_aws(_get(scope, match[1]), shape, match[1], row.rename, problems)
    if isinstance(template, Mapping):
        kinds = shape.members if shape.type_name == "structure" else dict.fromkeys(template, shape.value)
        filled = {key: _fill(item, kinds[key], scope, row, problems) for key, item in template.items()}
        needed = [key for key, item in template.items() if re.match(r"(\['?)?\$!", str(item))]
        if any(filled[key] in _EMPTY for key in needed):
            return None
        filled = {key: value for key, value in filled.items() if value is not None}
        return filled if filled or not template else None
    if isinstance(template, list):
        items = [_fill(item, shape.member, scope, row, problems) for item in template]
        return [item for item in items if item is not None] or (None if template else [])
    return template


def _fetch(api: Api, row: Row, fetch: Fetch, scope: Values) -> Any:
    shape = operation(row.service, fetch.operation).input_shape
    params = _fill(fetch.params, shape, scope, row, []) or {}
    path = REFERENCE.sub(lambda match: str(_get(scope, match[1]) or "-"), fetch.path)
    return api.look(path, row.service, fetch.operation, **params)


def _tag_form(row: Row, tags: Any) -> Any:
    if tags is UNKNOWN or row.tags is None or row.tags.names is None:
        return tags
    key, value = row.tags.names
    return [{key: name, value: text} for name, text in tags.items()]


def _tags_of(row: Row, holder: Any) -> dict[str, str]:
    """AWS's own tags (`aws:…`) are not the user's."""
    assert row.tags
    tags = holder.get("Tags", holder.get("tags")) if isinstance(holder, dict) and not row.tags.read else holder
    if row.tags.names:
        key, value = row.tags.names
        tags = {tag[key]: tag[value] for tag in tags or []}
    return {key: value for key, value in (tags or {}).items() if not key.startswith("aws:")}


def _place(region: str) -> Values:
    constraint = region if region != "us-east-1" else None  # S3 knows that one by no name
    return {"region": region, "account": ACCOUNT_ID, "partition": partition_of(region), "constraint": constraint}


def _scope(api: Api, thing: Thing, old: Values) -> Values:
    """What templates may refer to."""
    added: Values = {}
    removed: Values = {}
    for key, value in (old | thing.inputs).items():
        if isinstance(value, list | dict):
            now, before = thing.inputs.get(key) or [], old.get(key) or []
            added[key] = [item for item in now if item not in before] or None
            removed[key] = [item for item in before if item not in now] or None
    known = {"inputs": thing.inputs, "state": thing.state, "old": old, "added": added, "removed": removed}
    return thing.inputs | _place(api.region) | known | ({"id": thing.id} if thing.id else {})


def _get(values: Mapping[str, Any], path: str) -> Any:
    current: Any = values
    for part in path.split("."):
        current = current.get(part) if isinstance(current, Mapping) else None
    return current


def _pick(paths: tuple[str, ...], values: Values) -> Values:
    """The values at dotted paths, nested as they were."""
    picked: Values = {}
    for path in paths:
        if (value := _get(values, path)) is not None:
            for part in reversed(path.split(".")):
                value = {part: value}
            ((key, inner),) = value.items()
            picked[key] = {**picked[key], **inner} if isinstance(picked.get(key), dict) else inner
    return picked


def _within(path: str, names: Any) -> bool:
    return any(path == name or path.startswith((f"{name}.", f"{name}[")) for name in names)


def _around(name: str, paths: Any) -> bool:
    return any(_within(path, (name,)) for path in paths)


def _overlay(base: Any, top: Any, kind: Type) -> Any:
    """`top` over `base`, merged inside objects only: maps such as labels and tags are wholes."""
    if kind.kind == "object" and isinstance(base, dict) and isinstance(top, dict):
        return base | {key: _overlay(base.get(key), value, kind.fields[key]) for key, value in top.items()}
    return top


def _automatic_name(row: Row, resource: Resource, seed: bytes) -> str:
    """https://github.com/pulumi/pulumi-aws/blob/master/provider/resource_overrides.go has the limits (AutoName)."""
    prefix, digits = f"{resource.name}-", 7
    if len(prefix) + digits > row.longest_name:
        raise ProviderError(
            f"could not make instance of '{resource.type}': name '{prefix}' plus {digits} random chars is longer than "
            f"maximum length {row.longest_name}"
        )
    return generated_name(prefix, seed, digits)


def _is_automatic(name: Any) -> bool:
    """Whether the provider made a name, going by its form. It keeps those, also under another logical name; when a
    program no longer gives a name, it makes one: `__defaults` in pkg/tfbridge/schema.go of
    github.com/pulumi/pulumi-terraform-bridge."""
    return bool(re.fullmatch(r".+-[0-9a-f]{7}", str(name)))


def _name_prefix(row: Row, inputs: Values) -> str | None:
    prefix = f"{row.name}Prefix"
    return prefix if row.name and row.name not in inputs and inputs.get(prefix) else None


def _record_key(api: Api, thing: Thing) -> str:
    return f"{thing.type}|{api.region}|{thing.id}"


def _recorded(api: Api, thing: Thing) -> Values | None:
    return api.cloud.store("recorded").get(_record_key(api, thing))


def _put_record(api: Api, thing: Thing, before: Values) -> None:
    """Keep what the stand-in knows of a thing, without what is still to be written."""
    left = {path.split(".")[0] for path in thing.left}
    written = {key: value for key, value in thing.record.items() if key not in left}
    if record := written | {key: value for key, value in before.items() if key in left}:
        api.cloud.store("recorded").put(_record_key(api, thing), record)


def _applies(call: Call, scope: Values) -> bool:
    given = {path: _get(scope, path) for path in call.when}
    return all(
        given[path] not in _EMPTY if wanted is ANY else given[path] == wanted or (not wanted and given[path] in _EMPTY)
        for path, wanted in call.when.items()
    )


def _parsed(template: str, id: str) -> Values:
    """The properties that a composed id such as `cluster:addon` tells, as an import needs."""
    if "{" not in template:
        return {}
    pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+?)", re.escape(template))
    match = re.fullmatch(pattern, id)
    return match.groupdict() if match else {}


def _changes(old: Values, new: Values, kinds: Mapping[str, Type], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Paths of the properties that differ, into objects but not into lists; an unknown value differs."""
    for key in sorted({*old, *new}):
        before, after, kind = old.get(key), new.get(key), kinds.get(key, Type("any"))
        if isinstance(before, dict) and isinstance(after, dict) and kind.kind == "object":
            yield from _changes(before, after, kind.fields, f"{prefix}{key}.")
        elif not (equivalent(before, after, kind) and equivalent(after, before, kind)):
            yield prefix + key, "add" if before is None else "delete" if after is None else "update"


def equivalent(given: Any, seen: Any, kind: Type) -> bool:
    """Whether AWS means the same: lists in any order, documents by content, what is not given may be anything."""
    if given == seen or (given in _EMPTY and seen in _EMPTY):
        return True
    if given is None or seen is None or UNKNOWN in (given, seen):
        return False
    match kind.kind:
        case "list" if isinstance(given, list) and isinstance(seen, list) and kind.item:
            rest = list(seen)
            for item in given:
                index = next((i for i, other in enumerate(rest) if equivalent(item, other, kind.item)), None)
                if index is None:
                    return False
                del rest[index]
            return not rest
        case "object" if isinstance(given, dict) and isinstance(seen, dict):
            return all(equivalent(item, seen.get(key), kind.fields[key]) for key, item in given.items())
        case "str" if kind.document and isinstance(given, str) and isinstance(seen, str):
            return _document(given) is not None and _document(given) == _document(seen)
        case _:
            return False


def _keep(given: Any, seen: Any, kind: Type) -> Any:
    """The value in the words of `given` as far as AWS means the same, else as AWS has it."""
    if equivalent(given, seen, kind):
        return given
    if kind.kind == "object" and isinstance(given, dict) and isinstance(seen, dict):
        kept = {key: _keep(item, seen.get(key), kind.fields[key]) for key, item in given.items()}
        return {key: item for key, item in kept.items() if item is not None}
    return seen


def _document(text: str) -> Any:
    """A JSON text without what AWS rearranges: the order in lists, and lists of one."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return _canonical(json.loads(text))
    except ValueError:
        return None


def _canonical(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _canonical(item) for key, item in value.items()}
    if isinstance(value, list):
        items = sorted((_canonical(item) for item in value), key=repr)
        return items[0] if len(items) == 1 else items
    return value
