"""`digits token`: a token for its holder, a line for the service."""

from __future__ import annotations

import stat
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from cli import main
from digits.security.tokens import Principal, Role, Tokens

Printed = pytest.CaptureFixture[str]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Any:
    def runner(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["digits", "token", *arguments])
        with pytest.raises(SystemExit) as ended:
            main.main()
        return int(ended.value.code or 0)

    return runner


def test_the_printed_token_opens_what_it_was_made_for(run: Any, capsys: Printed, tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    assert run("alice", *Role, "--file", str(file)) == 0
    alice = capsys.readouterr().out.strip()
    assert run("bob", "classify", "--for", "2h", "--file", str(file)) == 0
    known = Tokens(file)
    assert known.holder(f"Bearer {alice}") == Principal("alice", frozenset(Role))
    bob = known.holder(f"Bearer {capsys.readouterr().out.strip()}")
    assert (bob.name, bob.expires) == ("bob", pytest.approx(time.time() + 7200, abs=60))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "arguments",
    [
        ["alice", "root"],
        ["al ice", "train"],
        ["alice", "train", "--for", "soon"],
        ["alice", "train", "--file", "/dev/null/x"],
    ],
)
def test_what_will_not_do_is_said_on_one_line_and_writes_nothing(
    run: Any, capsys: Printed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.setenv("DIGITS_TOKENS_FILE", str(tmp_path / "tokens"))
    assert run(*arguments) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("digits: ") and printed.err.count("\n") == 1
    assert not (tmp_path / "tokens").exists()


def test_without_a_file_it_asks_which(run: Any, capsys: Printed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DIGITS_TOKENS_FILE", raising=False)
    assert run("alice", "train") == 1
    assert "DIGITS_TOKENS_FILE" in capsys.readouterr().err
