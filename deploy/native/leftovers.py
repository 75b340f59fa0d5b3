"""Ends what a killed supervisor left behind. Only the holder of the lock may call this."""

from __future__ import annotations

import psutil

from deploy.native import marks
from deploy.native.folder import StateFolder
from deploy.native.record import PartRecord, RunRecord


def end_leftovers(folder: StateFolder) -> int:
    """Kills every process of an earlier start on this folder; returns how many there were."""
    record = RunRecord.read(folder)
    left = {process.pid: process for process in marks.marked(folder.root)}
    # Valkey overwrites its environment with its title, so the record names the parts themselves.
    for part in record.parts if record else ():
        process = _living(part)
        if process:
            left[process.pid] = process
    marks.end(list(left.values()), leave_seconds=0.5)
    RunRecord.remove(folder)
    return len(left)


def _living(part: PartRecord) -> psutil.Process | None:
    try:
        process = psutil.Process(part.pid) if part.pid else None
        return process if process and abs(process.create_time() - part.created) < 1 else None
    except psutil.NoSuchProcess:
        return None
