"""Serves the pack to the engine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, cast

from google.protobuf import json_format
from pulumi.runtime.proto import analyzer_pb2
from pulumi_policy import Policy, PolicyPack
from pulumi_policy import policy as sdk
from pulumi_policy.deserialize import SPECIAL_SECRET_SIG, SPECIAL_SIG_KEY
from pulumi_policy.proxy import unknown_checking_proxy

from .configuration import NAMESPACE, of_stack, read
from .kinds import STACK
from .policies import Pack
from .rule import STRICTNESS, Level, Properties, Rule

_LEVELS = {
    Level.DISABLED: analyzer_pb2.DISABLED,
    Level.ADVISORY: analyzer_pb2.ADVISORY,
    Level.MANDATORY: analyzer_pb2.MANDATORY,
}


def raise_levels(policies: Sequence[Policy], request: Any) -> Iterator[str]:
    """Takes back the levels of `--policy-pack-config` that are lower than the stack's, and says so.

    A file on the command line leaves no trace in the stack: whoever reviews that would see nothing of it. The engine
    hands over levels of all policies, those that it was told by the pack itself where the file says nothing.
    """
    for policy in policies:
        own = policy.enforcement_level
        if own is None or policy.name not in request.policyConfig:
            continue
        config = request.policyConfig[policy.name]
        given = next((level for level, number in _LEVELS.items() if number == config.enforcementLevel), own)
        if STRICTNESS.index(given) < STRICTNESS.index(own):
            config.enforcementLevel = _LEVELS[own]
            yield (
                f"--policy-pack-config: {policy.name} cannot be {given.value}, it is {own.value}; "
                f"set levels in the stack's own {NAMESPACE}:policies, where a review sees them"
            )


def plain_outputs(request: Any) -> Properties:
    """The stack's outputs that are not marked secret; the SDK hands over all of them alike."""
    found = next((one.properties for one in request.resources if one.type == STACK), None)
    return unknown_checking_proxy(_plain(json_format.MessageToDict(found)) if found is not None else {})


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(one) for one in cast("list[Any]", value) if not _is_secret(one)]
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in cast("dict[str, Any]", value).items() if not _is_secret(one)}
    return value


def _is_secret(value: Any) -> bool:
    return isinstance(value, dict) and cast("dict[str, Any]", value).get(SPECIAL_SIG_KEY) == SPECIAL_SECRET_SIG


def serve(name: str, rules: Sequence[Rule]) -> None:
    """Serves the rules until the engine ends.

    The engine tells the stack's configuration by a call of its own, after the pack was started. pulumi-policy 1.21
    reads only the tags of that call, so that `pulumi.Config` is empty in a pack which the official language host runs.
    """
    pack = Pack(rules)

    class Analyzer(sdk._PolicyAnalyzerServicer):  # pyright: ignore[reportPrivateUsage]  # there is no public way to it
        def ConfigureStack(self, request: Any, _context: object) -> Any:  # noqa: N802  # gRPC dictates the name
            given, production = of_stack(request.config)
            pack.configure(read(given, rules, production, date.today()))
            return super().ConfigureStack(request, _context)  # pyright: ignore[reportUnknownMemberType]  # untyped there

        def AnalyzeStack(self, request: Any, _context: object) -> Any:  # noqa: N802  # gRPC dictates the name
            pack.outputs = plain_outputs(request)
            return super().AnalyzeStack(request, _context)  # pyright: ignore[reportUnknownMemberType]  # untyped there

        def Configure(self, request: Any, _context: object) -> Any:  # noqa: N802  # gRPC dictates the name
            for problem in raise_levels(pack.policies, request):
                pack.refuse(problem)
            return super().Configure(request, _context)  # pyright: ignore[reportUnknownMemberType]  # untyped there

    sdk._PolicyAnalyzerServicer = Analyzer  # pyright: ignore[reportPrivateUsage]
    PolicyPack(name, pack.policies)
