import os

import hypothesis
import pulumi
import pytest

from recording import Recorder

# No property depends on the speed of the machine, and on CI none on chance.
hypothesis.settings.register_profile(
    "any-machine",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
    derandomize="CI" in os.environ,
)
hypothesis.settings.load_profile("any-machine")


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder()
    monkeypatch.setattr(pulumi.log, "warn", lambda message, *_: recorder.warnings.append(message))
    return recorder
