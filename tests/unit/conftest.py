"""Unit tests start no process and load no TensorFlow: the whole folder takes seconds."""

from __future__ import annotations

import subprocess
import sys
from typing import NoReturn

import pytest


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> NoReturn:
        pytest.fail("a unit test starts no process: tests/integration is the place for that")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    for heavy in ("tensorflow", "keras"):
        monkeypatch.setitem(sys.modules, heavy, None)
