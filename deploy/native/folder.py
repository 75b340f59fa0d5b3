"""Where the service keeps things below its state folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from deploy.native import private_files
from deploy.native.errors import CannotStart


@dataclass(frozen=True)
class StateFolder:
    """The state folder; its path is absolute."""

    root: Path

    @classmethod
    def at(cls, path: Path) -> StateFolder:
        """The folder at a path that may be relative."""
        return cls(path.expanduser().resolve())

    @property
    def logs(self) -> Path:
        """Folder of the log files, one a process."""
        return self.root / "logs"

    @property
    def run(self) -> Path:
        """Folder of what is true only while the service runs."""
        return self.root / "run"

    @property
    def secrets(self) -> Path:
        """Folder of the secrets of this start, a file each."""
        return self.run / "secrets"

    @property
    def lock(self) -> Path:
        """Locked by the supervisor while it lives; holds its process id."""
        return self.root / "lock"

    @property
    def ports(self) -> Path:
        """The ports that its own servers took."""
        return self.root / "ports.json"

    @property
    def stack(self) -> Path:
        """Holds the name of the stack that it was last started with."""
        return self.root / "stack"

    @property
    def metrics_targets(self) -> Path:
        """Where Prometheus reads whom it may ask for metrics (its file_sd_configs)."""
        return self.run / "metrics-targets.json"

    def log_of(self, name: str) -> Path:
        """The log file of a process."""
        return self.logs / f"{name}.log"

    def logged_parts(self) -> list[str]:
        """The processes that have a log, sorted."""
        return sorted(path.stem for path in self.logs.glob("*.log"))

    def make(self) -> None:
        """Creates what is missing, for this user alone; raises CannotStart if it cannot be written."""
        try:
            for folder in (self.root, self.logs, self.run, self.secrets):
                private_files.make_folder(folder)
            probe = self.run / "writable"
            # A full disk takes a new file, and refuses its content.
            probe.write_bytes(bytes(1024))
            probe.unlink()
        except OSError as error:
            raise CannotStart(
                f"cannot write the state folder {self.root} ({error.strerror}): "
                "free it, or set DIGITS_VAR_DIR to another folder"
            ) from error

    def tail(self, name: str, lines: int = 8) -> str:
        """The last lines of a log, at most 4 kB of them; empty if there is no log."""
        try:
            with self.log_of(name).open("rb") as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - 4096))
                text = log.read().decode("utf-8", "replace")
        except FileNotFoundError:
            return ""
        return "\n".join(text.rstrip().splitlines()[-lines:])
