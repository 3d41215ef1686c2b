import pulumi
import pytest

from recording import Recorder


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder()
    monkeypatch.setattr(pulumi.log, "warn", lambda message, *_: recorder.warnings.append(message))
    return recorder
