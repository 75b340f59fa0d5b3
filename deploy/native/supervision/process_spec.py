"""One process of the service, before it is started."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ProcessSpec:
    """What to run, when it may start, and how to know that it is usable."""

    name: str
    command: tuple[str, ...]
    answers: Callable[[int], bool]
    """Whether the process of this id is usable now; returns within about a second and never raises."""
    address: str = ""
    needs: tuple[str, ...] = ()
    """The processes that must be up before this one starts for the first time."""
    stop_rank: int = 0
    """Lower ranks stop first; equal ones at the same time."""
    grace_seconds: float = 10.0
    """How long it may take from SIGTERM to its end before it is killed."""
    environment: Mapping[str, str] = field(default_factory=dict)
    version: str = ""
