"""One process of the embedded service, before it is started."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Part:
    """What to run, when it may start, and how to know that it is usable."""

    name: str
    command: tuple[str, ...]
    answers: Callable[[int], bool]
    """Whether the process of this id is usable now; returns within about a second and never raises."""
    address: str = ""
    needs: tuple[str, ...] = ()
    """Parts that must be up before this one starts."""
    stop_rank: int = 0
    """Lower ranks stop first; equal ones at the same time."""
    grace_seconds: float = 10.0
    """How long it may take from SIGTERM to its end before it is killed."""
    environment: Mapping[str, str] = field(default_factory=dict)
    version: str = ""


def server_part(
    name: str,
    command: tuple[str, ...],
    answers: Callable[[int], bool],
    port: int,
    *,
    version: str,
    needs: tuple[str, ...] = (),
) -> Part:
    """A server on loopback: it stops behind the service's own processes."""
    return Part(
        name, command, answers, f"127.0.0.1:{port}", needs, stop_rank=3, grace_seconds=10, version=version
    )
