"""What the supervisor tells whoever watches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from deploy.native.supervision.process_spec import ProcessSpec


class Show(Protocol):
    """A line, or something like it, for each event. No method may raise."""

    def starting(self, names: Sequence[str]) -> None:
        """These processes are not up yet."""

    def up(self, spec: ProcessSpec, seconds: float) -> None:
        """The process can be used, so long after its start."""

    def died(self, spec: ProcessSpec, reason: str, wait_seconds: float) -> None:
        """The process ended by itself, or could not be started, and is started again after a while."""

    def unrecorded(self, reason: str) -> None:
        """The record cannot be written; it is written as soon as it can."""

    def stopping(self) -> None:
        """Everything is being stopped."""

    def stopped(self, seconds: float) -> None:
        """Everything is gone."""
