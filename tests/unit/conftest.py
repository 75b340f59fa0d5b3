"""Unit tests start no process and load no TensorFlow: the whole folder takes seconds."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import NoReturn

import pytest

from cli import main as command
from tests.unit.scripted_client import Scripted


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> NoReturn:
        pytest.fail("a unit test starts no process: tests/integration is the place for that")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    for heavy in ("tensorflow", "keras"):
        monkeypatch.setitem(sys.modules, heavy, None)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Runs the `digits` command with arguments against Scripted; returns its exit code."""
    monkeypatch.setattr("digits.client.connect.Client", Scripted)
    monkeypatch.setattr(Scripted, "asked", [])

    def runner(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["digits", *arguments])
        try:
            command.main()
        except SystemExit as ended:
            return ended.code if isinstance(ended.code, int) else 0
        return 0

    return runner
