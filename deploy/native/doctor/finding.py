"""What was looked at, and how it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Health(StrEnum):
    """How it is."""

    FINE = "fine"
    DOUBTFUL = "doubtful"
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """One thing: its health, what was found, and unless it is fine what mends it."""

    subject: str
    health: Health
    found: str
    mend: str = ""


def fine(subject: str, found: str) -> Finding:
    """Nothing is to be done."""
    return Finding(subject, Health.FINE, found)


def doubtful(subject: str, found: str, mend: str) -> Finding:
    """It works, or may."""
    return Finding(subject, Health.DOUBTFUL, found, mend)


def wrong(subject: str, found: str, mend: str) -> Finding:
    """It does not work."""
    return Finding(subject, Health.WRONG, found, mend)
