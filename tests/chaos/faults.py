"""What may go wrong: a kind of fault draws one of its own, which then happens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

SECONDS = (1.0, 5.5, 9.0)
"""How long a fault lasts: shorter than ZooKeeper's patience with a session (6 s), about as long, longer."""


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong."""

    what: str
    where: str
    inflict: Callable[[], bool] = field(compare=False)
    """Has it happen, and returns when it is over; False if what it hits is not there just now."""
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.what} {self.where}" + (f" for {self.seconds:g} s" if self.seconds else "")


class Kind(Protocol):
    """Faults of one kind, in one service that runs."""

    def draw(self, random_: Random) -> Fault:
        """The next one."""
