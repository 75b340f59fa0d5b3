"""`digits up`: the embedded service in the foreground."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

import psutil
from rich.console import Console

from deploy.native import preflight
from deploy.native.child import Child
from deploy.native.display import Display
from deploy.native.embedded import embedded_parts, own_ports, settled
from deploy.native.folder import StateFolder
from deploy.native.leftovers import end_leftovers
from deploy.native.lock import locked
from deploy.native.probes import ZooKeeperProbe
from deploy.native.record import PartRecord, RunRecord
from deploy.native.supervisor import Supervisor
from digits.settings import Settings


def up(settings: Settings, console: Console) -> None:
    """Runs the embedded service until a signal stops it; raises CannotStart with one sentence."""
    began = psutil.Process().create_time()
    preflight.check_installed()
    folder, display = StateFolder.at(settings.var_dir), Display(console)
    with owned(folder, display):
        ports = own_ports(settings, folder)
        given = settled(settings, folder, ports)
        preflight.check_ports(given)
        with closing(ZooKeeperProbe(given.coordinator_url)) as zookeeper:
            supervisor = Supervisor(embedded_parts(given, folder, ports, zookeeper), folder, display)
            plan = RunRecord(os.getpid(), False, given.model_dump(mode="json", exclude_unset=True), ports)
            serve(supervisor, folder, plan, lambda: display.ready(given, folder, time.time() - began))


@contextmanager
def owned(folder: StateFolder, display: Display) -> Iterator[None]:
    """Makes the folder ours, and ends what an earlier owner left running. Raises CannotStart."""
    folder.make()
    with locked(folder):
        ended = end_leftovers(folder)
        if ended:
            display.line(f"ended {ended} processes that an earlier start had left behind")
        try:
            yield
        finally:
            RunRecord.remove(folder)


def serve(supervisor: Supervisor, folder: StateFolder, plan: RunRecord, announce: Callable[[], None]) -> None:
    """Runs the supervisor and keeps the record true; calls `announce` once everything is up."""
    is_ready = False

    def changed() -> None:
        parts = tuple(_part_record(child, folder) for child in supervisor.children)
        replace(plan, ready=is_ready, parts=parts).write(folder)

    def ready() -> None:
        nonlocal is_ready
        is_ready = True
        announce()
        changed()

    supervisor.run(ready, changed)


def _part_record(child: Child, folder: StateFolder) -> PartRecord:
    name, address = child.part.name, child.part.address
    log = str(folder.log_of(name))
    return PartRecord(name, address, log, child.phase.value, child.pid, child.created, child.restarts)
