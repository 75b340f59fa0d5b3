"""The command's help, version and completion."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

import digits

Run = Callable[..., int]
Printed = pytest.CaptureFixture[str]

WHOLE = {
    (): "Start the service and its servers: in the foreground, or with --detach in the background.",
    ("jobs",): "Remove records of finished jobs; by the service's own limits if none is given. Models stay.",
    ("models",): "Make the version serve that served before; each time one further back.",
}


@pytest.mark.parametrize("group", WHOLE)
def test_help_says_all_of_it_at_eighty_columns(
    run: Run, capsys: Printed, monkeypatch: pytest.MonkeyPatch, group: tuple[str, ...]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert run(*group, "-h") == 0
    printed = capsys.readouterr().out
    assert WHOLE[group] in " ".join(printed.split())
    assert "..." not in printed.replace("[ARGS]...", "")


@pytest.mark.parametrize("command", ["train", "classify", "up", "token"])
def test_each_command_has_the_short_option_for_help(run: Run, capsys: Printed, command: str) -> None:
    assert run(command, "-h") == 0
    assert "-h, --help" in capsys.readouterr().out


def test_the_command_says_its_version(run: Run, capsys: Printed) -> None:
    assert run("--version") == 0
    assert capsys.readouterr().out == f"digits {digits.__version__}\n"


SHELLS = {
    "bash": {"COMP_WORDS": "digits jobs wa", "COMP_CWORD": "2"},
    "zsh": {"_TYPER_COMPLETE_ARGS": "digits jobs wa"},
    "fish": {"_TYPER_COMPLETE_ARGS": "digits jobs wa", "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
}


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_completes_a_command(
    run: Run, capsys: Printed, monkeypatch: pytest.MonkeyPatch, shell: str
) -> None:
    for name, value in SHELLS[shell].items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("_DIGITS_COMPLETE", f"complete_{shell}")
    run()
    assert "watch" in capsys.readouterr().out


def test_a_wrong_call_is_json_if_that_is_asked_for(run: Run, capsys: Printed) -> None:
    assert run("jobs", "cancel", "--json") == 2
    assert json.loads(capsys.readouterr().out) == {
        "error": {"code": "USAGE", "message": "Missing argument 'ID'."}
    }
