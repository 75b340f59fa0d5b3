"""Where the command's output goes, and what becomes of a command whose output goes nowhere."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., int]
Printed = pytest.CaptureFixture[str]


def full(write_through: bool) -> io.TextIOWrapper:
    return io.TextIOWrapper(Path("/dev/full").open("wb", buffering=0), write_through=write_through)


@pytest.mark.parametrize("write_through", [True, False])
@pytest.mark.parametrize("arguments", [("jobs",), ("jobs", "--json"), ("--version",), ("train", "a.npz")])
def test_output_that_finds_no_room_is_a_sentence(
    run: Run,
    capsys: Printed,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    write_through: bool,
) -> None:
    with full(write_through) as disk:
        monkeypatch.setattr(sys, "stdout", disk)
        assert run(*arguments) == 1
    said = "standard output takes nothing: No space left on device"
    assert capsys.readouterr().err == f"digits: {said}\n"


def test_output_that_is_closed_is_a_sentence_before_anything_is_done(
    run: Run, capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    assert run("jobs", "prune") == 1
    assert capsys.readouterr().err == "digits: standard output takes nothing: it is closed\n"


def test_a_reader_that_has_seen_enough_is_told_nothing(
    run: Run, capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", encoding="utf-8") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        assert run("jobs") == 1
    assert capsys.readouterr().err == ""


def test_another_fault_of_a_file_is_not_taken_for_one_of_the_output(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "secret.txt")

    monkeypatch.setattr("cli.jobs.print_table", fail)
    with pytest.raises(PermissionError):
        run("jobs")
