"""`digits logs`: what is shown of the log files."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from deploy.native.folder import StateFolder
from deploy.native.log_reader import LogReader
from deploy.native.supervision.log_rotation import MAX_LOG_BYTES, rotate


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StateFolder:
    monkeypatch.setenv("DIGITS_VAR_DIR", str(tmp_path))
    made = StateFolder.at(tmp_path)
    made.make()
    made.log_of("server").write_text("".join(f"event {number}\n" for number in range(100)))
    made.log_of("bridge").write_text("one\ntwo\n")
    return made


def shown(*arguments: str) -> str:
    """What the command prints."""
    done = CliRunner().invoke(app, ["logs", *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_all_parts_are_shown_with_their_names_and_their_last_lines(folder: StateFolder) -> None:
    assert shown("--lines", "2").splitlines() == [
        "bridge          one",
        "bridge          two",
        "server          event 98",
        "server          event 99",
    ]


def test_one_part_is_shown_as_it_was_written(folder: StateFolder) -> None:
    assert shown("server", "-n", "1") == "event 99\n"
    assert len(shown("server").splitlines()) == 20
    assert len(shown("server", "-n", "1000").splitlines()) == 100


def test_an_unknown_part_is_said_with_those_that_there_are(folder: StateFolder) -> None:
    done = CliRunner().invoke(app, ["logs", "sever"])
    assert done.exit_code != 0
    assert "there are bridge, server" in str(done.exception) + done.output


@pytest.mark.parametrize("arguments", [("logs",), ("logs", "server"), ("logs", "--follow"), ("status",)])
def test_where_nothing_ever_ran_is_said_with_how_to_start_it(
    run: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: tuple[str, ...],
) -> None:
    monkeypatch.setenv("DIGITS_VAR_DIR", str(tmp_path / "never"))
    assert run(*arguments) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"digits: nothing ever ran on {tmp_path / 'never'}")
    assert "start the service with `digits up`" in printed.err


def test_a_service_that_was_stopped_is_said_not_to_run_with_its_logs(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str], folder: StateFolder
) -> None:
    assert run("status") == 1
    printed = capsys.readouterr()
    assert str(folder.log_of("server")) in printed.out
    assert printed.err.startswith(
        f"digits: nothing runs on {folder.root}: start the service with `digits up`"
    )


def test_following_goes_on_with_whole_lines_of_every_part(folder: StateFolder) -> None:
    reader = LogReader(folder, ["bridge", "server"], 0)
    assert list(reader.read()) == []
    with folder.log_of("server").open("a") as log:
        log.write("half a ")
        log.flush()
        assert list(reader.read()) == []
        log.write("line\n")
        log.flush()
    with folder.log_of("bridge").open("a") as log:
        log.write("three\n")
    assert list(islice(reader.follow(), 2)) == [("bridge", "three"), ("server", "half a line")]


def test_a_log_that_was_put_aside_is_read_from_its_new_begin(folder: StateFolder) -> None:
    log = folder.log_of("server")
    log.write_bytes(b"x" * 99 + b"\n" + b"y" * MAX_LOG_BYTES + b"\n")
    reader = LogReader(folder, ["server"], 0)
    assert list(reader.read()) == []
    rotate(log)
    with log.open("a") as output:
        output.write("new\n")
    assert list(reader.read()) == [("server", "new")]


def test_a_part_that_has_not_begun_is_followed_once_it_does(folder: StateFolder) -> None:
    reader = LogReader(folder, ["train-worker"], 5)
    assert list(reader.read()) == []
    folder.log_of("train-worker").write_text("hello\n")
    assert list(reader.read()) == [("train-worker", "hello")]
