"""Bearer tokens: who has one, what for, and how the file changes under a running service."""

from __future__ import annotations

import dataclasses
import os
import time
from pathlib import Path

import pytest

from digits.errors import Misconfigured, Unauthenticated
from digits.security import tokens
from digits.security.tokens import Principal, Role, Tokens, line, new_token

TRAINER = Principal("alice", frozenset({Role.TRAIN}))
VOID = [
    "bob",
    "bob root " + tokens.digest("void"),
    "bob train,x " + tokens.digest("void"),
    "b/ob train " + tokens.digest("void"),
    "bob train void",
    f"bob train {tokens.digest('void')} until=void",
    f"bob train {tokens.digest('void')} void",
    f"bob train {tokens.digest('void')} until=2999-01-01 void",
]
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


@pytest.mark.parametrize("row", VOID)
def test_a_line_that_will_not_do_lets_nobody_in_and_the_others_hold(
    file: Path, row: str, caplog: pytest.LogCaptureFixture
) -> None:
    file.write_text(f"{file.read_text()}{row}\n{line(TRAINER, 'last')}\n")
    known = Tokens(file)
    assert known.holder("Bearer first") == known.holder("Bearer last") == TRAINER
    with pytest.raises(Unauthenticated):
        known.holder("Bearer void")
    assert "line 5 lets nobody in" in caplog.text
    assert "void" not in caplog.text


@pytest.mark.parametrize("becomes", ["gone", "a folder"])
def test_a_file_that_cannot_be_read_any_more_admits_nobody_until_it_is_back(
    file: Path, becomes: str, caplog: pytest.LogCaptureFixture
) -> None:
    known, text = Tokens(file), file.read_text()
    file.unlink()
    if becomes == "a folder":
        file.mkdir()
    with pytest.raises(Unauthenticated):
        known.holder("Bearer first")
    assert "nobody is let in" in caplog.text
    if becomes == "a folder":
        file.rmdir()
    replace(file, text)
    assert known.holder("Bearer first") == TRAINER


@pytest.mark.parametrize(("seconds", "holds"), [(-1, False), (60, True)])
def test_a_token_holds_until_its_time_is_over(file: Path, seconds: float, holds: bool) -> None:
    replace(file, line(dataclasses.replace(TRAINER, expires=time.time() + seconds), "first"))
    known = Tokens(file)
    if holds:
        assert known.holder("Bearer first").name == "alice"
    else:
        with pytest.raises(Unauthenticated, match="expired"):
            known.holder("Bearer first")


@pytest.mark.parametrize("until", ["2100-01-01", "2100-01-01T00:00Z", "2100-01-01T02:00+02:00"])
def test_a_time_without_a_zone_is_utc(file: Path, until: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    replace(file, f"{line(TRAINER, 'first')} until={until}")
    expires = Tokens(file).holder("Bearer first").expires
    monkeypatch.undo()
    time.tzset()
    assert expires == 4102444800


def test_a_line_is_added_on_a_line_of_its_own(file: Path) -> None:
    file.write_text(line(TRAINER, "first"))
    for number in range(2):
        tokens.append(file, line(READER, f"added-{number}"))
    known = Tokens(file)
    assert known.holder("Bearer first") == TRAINER
    assert known.holder("Bearer added-0") == known.holder("Bearer added-1") == READER
    assert file.read_text().count("\n") == 3


def test_an_admin_has_every_role() -> None:
    admin = Principal("carol", frozenset({Role.ADMIN}))
    assert all(admin.may(role) for role in Role)
    assert not TRAINER.may(Role.ADMIN) and not TRAINER.may(Role.CLASSIFY)


def test_a_service_does_not_start_without_its_file(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="DIGITS_TOKENS_FILE"):
        Tokens(tmp_path / "nothing")


def replace(file: Path, text: str) -> None:
    """As Kubernetes and editors do: a new file in the old one's place."""
    new = file.with_suffix(".new")
    new.write_text(text)
    os.utime(new, ns=(1, 1))
    new.replace(file)
