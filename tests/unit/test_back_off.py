"""How long a process that died has to wait before it is started again."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from deploy.native.folder import StateFolder
from deploy.native.supervision.managed_process import ManagedProcess
from deploy.native.supervision.process_spec import ProcessSpec


def waits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *lived_seconds: float) -> list[float]:
    """What it has to wait each time, of a process that lives so long after each start."""
    clock = SimpleNamespace(now=0.0)
    where = "deploy.native.supervision.managed_process"
    monkeypatch.setattr(f"{where}.time", SimpleNamespace(monotonic=lambda: clock.now))
    monkeypatch.setattr(f"{where}.process_tags", SimpleNamespace(tagged=lambda *_: [], end=lambda _: None))
    process = ManagedProcess(ProcessSpec("server", ("true",), lambda _: True), StateFolder.at(tmp_path))
    found = []
    for seconds in lived_seconds:
        process.started_at = clock.now
        clock.now += seconds
        found.append(process.back_off())
    return found


def test_a_process_that_dies_at_once_waits_twice_as_long_each_time_and_half_a_minute_at_most(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert waits(monkeypatch, tmp_path, *[1.0] * 8) == [0.5, 1, 2, 4, 8, 16, 30, 30]


def test_one_that_is_killed_every_half_minute_is_there_again_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert waits(monkeypatch, tmp_path, 1.0, 1.0, 25.0, 25.0) == [0.5, 1, 0.5, 0.5]
