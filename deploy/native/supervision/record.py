"""What runs now, written down for `digits status`, `digits down` and the next start."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from deploy.native import private_files
from deploy.native.folder import StateFolder


@dataclass(frozen=True)
class ProcessRecord:
    """One process. `pid` and `created` are 0 while there is none."""

    name: str
    address: str
    log: str
    phase: str
    pid: int
    created: float
    restarts: int
    version: str = ""


@dataclass(frozen=True)
class RunRecord:
    """A running service."""

    pid: int
    """The supervisor's process id."""
    ready: bool
    """Whether every process has been up at once since the start."""
    settings: dict[str, Any] = field(default_factory=dict)
    """The settings its processes were given, as JSON values, without secrets."""
    ports: dict[str, int] = field(default_factory=dict)
    """The ports of its own servers."""
    processes: tuple[ProcessRecord, ...] = ()
    stack: str = "embedded"

    def write(self, folder: StateFolder) -> None:
        """Replaces the record in one step, for its owner's eyes: a broker's address may hold a password.

        Raises OSError when it cannot be written; the record is then what it was.
        """
        private_files.write(folder.run / "record.json", json.dumps(asdict(self), indent=2) + "\n")

    @classmethod
    def read(cls, folder: StateFolder) -> RunRecord | None:
        """The record; None if there is none, or none that can be read."""
        try:
            stored = json.loads((folder.run / "record.json").read_text(encoding="utf-8"))
            processes = tuple(ProcessRecord(**each) for each in stored.pop("processes"))
            return cls(**stored, processes=processes)
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    @staticmethod
    def remove(folder: StateFolder) -> None:
        """Removes the record; does nothing if there is none."""
        (folder.run / "record.json").unlink(missing_ok=True)
