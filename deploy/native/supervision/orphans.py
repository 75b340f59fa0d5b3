"""Ends what a killed supervisor left running. Only the holder of the lock may call this."""

from __future__ import annotations

import psutil

from deploy.native.folder import StateFolder
from deploy.native.supervision import process_tags
from deploy.native.supervision.record import ProcessRecord, RunRecord


def end_orphans(folder: StateFolder) -> int:
    """Kills every process of an earlier start on this folder; returns how many there were."""
    record = RunRecord.read(folder)
    orphans = {process.pid: process for process in process_tags.tagged(folder.root)}
    # Valkey overwrites its environment with its title, so the record names the processes themselves.
    for recorded in record.processes if record else ():
        process = _living(recorded)
        if process:
            orphans[process.pid] = process
    process_tags.end(list(orphans.values()), leave_seconds=0.5)
    RunRecord.remove(folder)
    return len(orphans)


def _living(recorded: ProcessRecord) -> psutil.Process | None:
    try:
        process = psutil.Process(recorded.pid) if recorded.pid else None
        return process if process and abs(process.create_time() - recorded.created) < 1 else None
    except psutil.NoSuchProcess:
        return None
