"""Whose failure `digits up --detach` takes for its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deploy.native import detach
from deploy.native.errors import CannotStart
from deploy.native.folder import StateFolder
from deploy.native.supervision.record import RunRecord


class Supervisor:
    """One that lives for some looks, and is ready at the last, or ends with a code."""

    pid = 17

    def __init__(self, folder: StateFolder, looks: int, code: int | None) -> None:
        self._folder, self._looks, self._code = folder, looks, code

    def poll(self) -> int | None:
        self._looks -= 1
        if self._looks:
            return None
        if self._code is None:
            RunRecord(self.pid, ready=True).write(self._folder)
        return self._code


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StateFolder:
    monkeypatch.setattr(detach, "POLL_SECONDS", 0.0)
    made = StateFolder.at(tmp_path / "var")
    made.make()
    return made


def follow(folder: StateFolder, log: str, code: int | None) -> list[str]:
    said: list[str] = []
    path = folder.log_of(detach.SUPERVISOR)
    path.write_text(log)
    supervisor: Any = Supervisor(folder, looks=3, code=code)
    with path.open("rb") as lines:
        detach._follow(supervisor, lines, folder, said.append)
    return said


def test_what_another_start_was_refused_for_is_not_taken_for_our_own_failure(folder: StateFolder) -> None:
    assert follow(folder, "valkey is up\ndigits: the service already runs\n", None) == ["valkey is up"]


def test_what_comes_after_anothers_refusal_is_said(folder: StateFolder) -> None:
    log = "digits: the service already runs\nbridge is up\n"
    assert follow(folder, log, None) == ["bridge is up"]


def test_a_supervisor_that_ended_says_why(folder: StateFolder) -> None:
    with pytest.raises(CannotStart, match=r"^port 5000 is taken$"):
        follow(folder, "valkey is up\ndigits: port 5000 is taken\n", 1)


def test_one_that_ended_without_a_word_is_shown_by_its_log(folder: StateFolder) -> None:
    with pytest.raises(CannotStart, match=r"ended with code 1; its log is .*supervisor"):
        follow(folder, "", 1)
