"""Bearer tokens: who a caller is, and what it may do.

The file has a line each, `NAME ROLE[,ROLE] SHA256 [until=TIME]`: the token itself is nowhere but with its
holder. It is 256 random bits, which nobody guesses from their plain SHA-256.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import math
import os
import re
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from digits.errors import Misconfigured, Unauthenticated
from digits.security import token_changes

logger = logging.getLogger(__name__)

# How old the knowledge of the file may be.
_LOOK_SECONDS = 1.0
_NAME = re.compile(r"[A-Za-z0-9._@-]{1,64}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_UNTIL = "until="


class Role(StrEnum):
    """What a token is for."""

    CLASSIFY = "classify"
    TRAIN = "train"
    """Training, and the jobs that it began itself."""
    ADMIN = "admin"
    """Everything: what the others may, everybody's jobs, which version serves, and what is removed."""


@dataclass(frozen=True)
class Principal:
    """Whom a token was given to, and until when, in seconds of Unix time."""

    name: str
    roles: frozenset[Role]
    expires: float = math.inf

    def may(self, role: Role) -> bool:
        """Whether it has that role; an admin has them all."""
        return role in self.roles or Role.ADMIN in self.roles


class Tokens:
    """The tokens of a file, read again whenever it changes.

    A line that will not do is nobody's, and the log names it; a file that cannot be read admits nobody.
    """

    def __init__(self, path: Path) -> None:
        """Raises Misconfigured if the file cannot be read: a service does not start without its tokens."""
        self._path = path
        self._stamp = self._stamp_now()
        self._holders = _read(path)
        self._looked = time.monotonic()

    def holder(self, authorization: str) -> Principal:
        """Whom the `Bearer TOKEN` of a header belongs to; raises Unauthenticated.

        Takes the same time for every token: all digests are compared, each to its end.
        """
        self._look()
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("a token is needed: authorization: Bearer TOKEN")
        presented = digest(token.strip())
        found = [holder for known, holder in self._holders.items() if hmac.compare_digest(known, presented)]
        if not found:
            raise Unauthenticated("this token is not known here")
        if found[0].expires <= time.time():
            raise Unauthenticated("this token has expired: ask for another")
        return found[0]

    def _look(self) -> None:
        now = time.monotonic()
        if now - self._looked < _LOOK_SECONDS:
            return
        self._looked = now
        stamp = self._stamp_now()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            before, self._holders = self._holders, _read(self._path)
            logger.info("%d tokens are known now", len(self._holders))
            token_changes.tell(self._path, _named(before), _named(self._holders))
        except Misconfigured as error:
            self._holders = {}
            token_changes.tell_failure(self._path, error)
            logger.warning("nobody is let in: %s", error)

    def _stamp_now(self) -> tuple[int, int, int]:
        try:
            found = self._path.stat()
        except OSError:
            return (0, 0, 0)
        return (found.st_mtime_ns, found.st_size, found.st_ino)


def new_token() -> str:
    """A token that nobody has."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """What the file keeps of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def line(holder: Principal, token: str) -> str:
    """The file's line for a token; raises Misconfigured for an invalid name or role."""
    until = "" if holder.expires == math.inf else f" {_UNTIL}{_written(holder.expires)}"
    text = f"{holder.name} {','.join(sorted(holder.roles))} {digest(token)}{until}"
    _parsed(text)
    return text


def append(path: Path, row: str) -> None:
    """Adds a line to a tokens file, on a line of its own whatever the file ends with; raises OSError."""
    path.touch(mode=0o600)
    with path.open("ab+") as rows:
        if size := rows.seek(0, os.SEEK_END):
            rows.seek(size - 1)
        begin = b"\n" if rows.read(1) not in (b"", b"\n") else b""
        rows.write(begin + row.encode() + b"\n")


def _named(holders: dict[str, Principal]) -> dict[str, str]:
    """Digests, and what each stands for, as the audit has them."""
    return {known: f"{holder.name} ({','.join(sorted(holder.roles))})" for known, holder in holders.items()}


def _read(path: Path) -> dict[str, Principal]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise Misconfigured(f"DIGITS_TOKENS_FILE: cannot read {path}: {error.strerror}") from error
    token_changes.tell_reading()
    holders = {}
    for number, whole in enumerate(text.splitlines(), 1):
        if row := whole.split("#")[0].strip():
            try:
                known, holder = _parsed(row)
                holders[known] = holder
            except Misconfigured as error:
                token_changes.tell_invalid_line()
                logger.warning("%s, line %d lets nobody in: %s", path, number, error)
    return holders


def _parsed(row: str) -> tuple[str, Principal]:
    name, roles, known, *rest = [*row.split(), "", "", ""]
    wanted, (until, *more) = roles.split(","), rest
    well_formed = _NAME.fullmatch(name) and _DIGEST.fullmatch(known) and set(wanted) <= set(Role)
    if any(more) or not well_formed:
        roles_there = ", ".join(Role)
        raise Misconfigured(f"NAME ROLE[,ROLE] SHA256 [until=TIME] is needed, with the roles {roles_there}")
    return known, Principal(name, frozenset(map(Role, wanted)), _expiry(until) if until else math.inf)


def _expiry(text: str) -> float:
    """The seconds of `until=TIME`; a time without a zone is UTC, a day alone is over when it begins."""
    try:
        when = datetime.fromisoformat(text.removeprefix(_UNTIL))
    except ValueError:
        when = None
    if when is None or not text.startswith(_UNTIL):
        # What stands there may be a token that somebody put in the wrong place: it is not repeated.
        raise Misconfigured(f"after the SHA256, only {_UNTIL}TIME may stand, such as {_UNTIL}{_written(0)}")
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def _written(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
