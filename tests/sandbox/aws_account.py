"""The stand-in for pulumi-aws without the engine: one resource at a time."""

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.cloud import Cloud
from sandbox.knobs import Knobs
from sandbox.providers.default_tags import TaggingAwsProvider
from sandbox.providers.protocol import Changes, InvalidInputsError, Resource, Values

REGION = "us-east-1"


class Account:
    """Does what the engine does, one resource at a time."""

    def __init__(
        self, cloud: Callable[[], Cloud], knobs: Knobs | None = None, region: str = REGION, **config: str
    ) -> None:
        self.announced: list[str] = []
        self.provider = TaggingAwsProvider(cloud, knobs or Knobs(), self.announced.append)
        self.region, self.config = region, {"region": region, **config}

    def _resource(self, token: str, name: str = "it") -> Resource:
        return Resource.of(f"urn:pulumi:test::small::{token}::{name}", self.config)

    def check(self, token: str, inputs: Values, old: Values | None = None, name: str = "it") -> Values:
        return self.provider.check(self._resource(token, name), old or {}, inputs, b"seed" * 8)

    def refusal(self, token: str, **inputs: Any) -> str:
        with pytest.raises(InvalidInputsError) as caught:
            self.check(token, inputs)
        return str(caught.value)

    def plan(self, token: str, **inputs: Any) -> Values:
        return self.provider.create(self._resource(token), self.check(token, inputs), preview=True)[1]

    def diff(self, token: str, old: Values, new: Values, ignored: tuple[str, ...] = (), name: str = "it") -> Changes:
        before, after = self.check(token, old, name=name), self.check(token, new, name=name)
        return self.provider.diff(self._resource(token, name), "id", before, before, after, list(ignored))

    def make(self, token: str, logical: str = "it", **inputs: Any) -> "Made":
        checked = self.check(token, inputs, name=logical)
        id, state = self.provider.create(self._resource(token, logical), checked, preview=False)
        return Made(self, token, logical, id, checked, state)


class Made:
    def __init__(self, account: Account, token: str, name: str, id: str, inputs: Values, state: Values) -> None:
        self.account, self.token, self.name, self.id, self.inputs, self.state = account, token, name, id, inputs, state

    def __getitem__(self, key: str) -> Any:
        return self.state[key]

    @property
    def resource(self) -> Resource:
        return self.account._resource(self.token, self.name)

    def change(self, preview: bool = False, **inputs: Any) -> Changes:
        provider = self.account.provider
        given = {key: value for key, value in self.inputs.items() if key != "tagsAll"}  # which Check makes
        new = {key: value for key, value in (given | inputs).items() if value is not None}
        new = self.account.check(self.token, new, self.inputs, self.name)
        changes = provider.diff(self.resource, self.id, self.inputs, self.state, new, [])
        assert not changes.replacing, changes
        state = provider.update(self.resource, self.id, self.inputs, self.state, new, preview)
        if preview:
            self.planned = state
        else:
            self.inputs, self.state = new, state
        return changes

    def read(self) -> tuple[str, Values, Values] | None:
        return self.account.provider.read(self.resource, self.id, self.inputs, self.state)

    def refreshes_unchanged(self) -> bool:
        return self.read() == (self.id, self.inputs, self.state)

    def delete(self) -> None:
        self.account.provider.delete(self.resource, self.id, self.inputs, self.state)
