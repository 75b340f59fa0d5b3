"""Bearer tokens: who has one, what for, and how the file changes under a running service."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from digits.errors import Misconfigured, Unauthenticated
from digits.security import tokens
from digits.security.tokens import Principal, Role, Tokens, line, new_token

TRAINER = Principal("alice", frozenset({Role.TRAIN}))
READER = Principal("bob", frozenset({Role.CLASSIFY, Role.TRAIN}))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tokens"
    path.write_text(f"# who\n\n{line(TRAINER, 'first')}  # until May\n{line(READER, 'second')}\n")
    return path


@pytest.fixture(autouse=True)
def _looks_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "_LOOK_SECONDS", 0.0)


def test_a_token_says_who_has_it_and_what_for(file: Path) -> None:
    known = Tokens(file)
    assert known.holder("Bearer first") == TRAINER
    assert known.holder("bearer second") == READER


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer third", "Basic first", "first", "Bearer é"]
)
def test_anything_else_is_nobody(file: Path, header: str) -> None:
    with pytest.raises(Unauthenticated):
        Tokens(file).holder(header)


def test_the_file_does_not_hold_the_token(file: Path) -> None:
    assert "first" not in file.read_text()
    assert line(TRAINER, made := new_token()).find(made) == -1


def test_a_changed_file_holds_at_once_without_a_restart(file: Path) -> None:
    known = Tokens(file)
    replace(file, line(TRAINER, "new"))
    assert known.holder("Bearer new") == TRAINER
    with pytest.raises(Unauthenticated):
        known.holder("Bearer first")


@pytest.mark.parametrize("text", ["alice train", "alice root " + "0" * 64, None])
def test_a_file_that_will_not_do_leaves_what_was_known(file: Path, text: str | None) -> None:
    known = Tokens(file)
    if text is None:
        file.unlink()
    else:
        replace(file, text)
    assert known.holder("Bearer first") == TRAINER


@pytest.mark.parametrize(
    "row", ["alice", "al/ice train " + "0" * 64, "alice train 12", "alice train,x " + "0" * 64, "a b c d"]
)
def test_a_service_does_not_start_with_a_line_that_will_not_do(tmp_path: Path, row: str) -> None:
    path = tmp_path / "tokens"
    path.write_text(f"# a comment\n{row}\n")
    with pytest.raises(Misconfigured, match="line 2"):
        Tokens(path)


def test_a_service_does_not_start_without_its_file(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="DIGITS_TOKENS_FILE"):
        Tokens(tmp_path / "nothing")


def replace(file: Path, text: str) -> None:
    """As Kubernetes and editors do: a new file in the old one's place."""
    new = file.with_suffix(".new")
    new.write_text(text)
    os.utime(new, ns=(1, 1))
    new.replace(file)
