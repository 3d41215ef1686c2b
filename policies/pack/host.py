"""Serves the pack to the engine."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from pulumi_policy import PolicyPack
from pulumi_policy import policy as sdk

from .configuration import of_stack, read
from .policies import Pack
from .rule import Rule


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

    sdk._PolicyAnalyzerServicer = Analyzer  # pyright: ignore[reportPrivateUsage]
    PolicyPack(name, pack.policies)
