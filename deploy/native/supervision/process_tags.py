"""Finds every process that belongs to a managed one, grandchildren included.

A JVM, pyspark's daemon and gunicorn's workers change their process group and may outlive their parent. All of
them inherit the environment, so a variable in it tags them.
"""

from __future__ import annotations

from pathlib import Path

import psutil

VARIABLE = "DIGITS_PROCESS_TAG"
# A JVM ends within a second of its Python driver; what takes longer is stuck.
MAX_LEAVE_SECONDS = 2.0


def tag(root: Path, name: str) -> str:
    """The variable's value for a process of the service with this state folder."""
    return f"{name}@{root}"


def tagged(root: Path, name: str | None = None) -> list[psutil.Process]:
    """The processes with that name's tag, or with any tag of the state folder, that live now."""
    found = []
    for process in psutil.process_iter():
        value = _variable(process)
        if value == tag(root, name) if name else value.endswith(f"@{root}"):
            found.append(process)
    return found


def end(processes: list[psutil.Process], leave_seconds: float = MAX_LEAVE_SECONDS) -> None:
    """Waits for the processes to end by themselves, then kills what is left."""
    _, left = psutil.wait_procs(processes, timeout=leave_seconds)
    for process in left:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(left, timeout=leave_seconds)


def _variable(process: psutil.Process) -> str:
    try:
        return process.environ().get(VARIABLE, "")
    except (psutil.Error, OSError):
        return ""
