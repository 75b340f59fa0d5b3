"""Bearer tokens: who a caller is, and what it may do.

The file has a line each, `NAME ROLE[,ROLE] SHA256`: the token itself is nowhere but with its holder.
It is 256 random bits, which nobody guesses from their plain SHA-256.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import secrets
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from digits.errors import Misconfigured, Unauthenticated
from digits.security import token_changes

logger = logging.getLogger(__name__)

# How old the knowledge of the file may be.
_LOOK_SECONDS = 1.0
_NAME = re.compile(r"[A-Za-z0-9._@-]{1,64}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


class Role(StrEnum):
    """What a token is for."""

    CLASSIFY = "classify"
    TRAIN = "train"
    """Training, jobs, promotion and rollback."""


@dataclass(frozen=True)
class Principal:
    """Whom a token was given to."""

    name: str
    roles: frozenset[Role]


class Tokens:
    """The tokens of a file, read again whenever it changes; an invalid one leaves what was known."""

    def __init__(self, path: Path) -> None:
        """Raises Misconfigured if the file cannot be read or has an invalid line."""
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
            token_changes.tell_failure(self._path, error)
            logger.warning("the tokens known before still hold: %s", error)

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
    text = f"{holder.name} {','.join(sorted(holder.roles))} {digest(token)}"
    _parsed(text, "this line")
    return text


def _named(holders: dict[str, Principal]) -> dict[str, str]:
    """Digests, and what each stands for, as the audit has them."""
    return {known: f"{holder.name} ({','.join(sorted(holder.roles))})" for known, holder in holders.items()}


def _read(path: Path) -> dict[str, Principal]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"DIGITS_TOKENS_FILE: cannot read {path}: {error}") from error
    rows = [(number, row.split("#")[0].strip()) for number, row in enumerate(text.splitlines(), 1)]
    return dict(_parsed(row, f"{path}, line {number}") for number, row in rows if row)


def _parsed(row: str, where: str) -> tuple[str, Principal]:
    name, roles, known, *rest = [*row.split(), "", "", ""]
    wanted = roles.split(",")
    if any(rest) or not (_NAME.fullmatch(name) and _DIGEST.fullmatch(known) and set(wanted) <= set(Role)):
        raise Misconfigured(f"{where}: NAME ROLE[,ROLE] SHA256 is needed, with the roles {', '.join(Role)}")
    return known, Principal(name, frozenset(map(Role, wanted)))
