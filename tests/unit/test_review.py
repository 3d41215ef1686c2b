"""The review of a merge base that cannot be applied."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from sandbox import merge_base, review
from sandbox.merge_base import MergeBase
from sandbox.review_markdown import Review
from sandbox.stack import SandboxStack

BASE = MergeBase("b" * 40, "main", "c" * 40, uncommitted=0, folder="")


def test_a_merge_base_that_fails_before_its_account_has_a_folder_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_engine: Any = None
    chosen = SandboxStack(tmp_path, "dev", tmp_path / "home", no_engine, lambda _: None)
    for name, answer in {"has_file": True, "checked_out": nullcontext(tmp_path / "base")}.items():
        monkeypatch.setattr(merge_base, name, lambda *_, answer=answer: answer)
    monkeypatch.setattr(review, "_up", lambda *_: (1, "error: Pulumi.dev.yaml is no YAML"))
    found = Review("dev", BASE)
    review._apply_merge_base(chosen, BASE, tmp_path / "base", found)
    assert found.base_error == "Pulumi.dev.yaml is no YAML"
    assert found.is_empty
