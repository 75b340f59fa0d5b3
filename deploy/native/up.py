"""`digits up`: the embedded service in the foreground."""

from __future__ import annotations

import os
import time

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
    folder = StateFolder.at(settings.var_dir)
    folder.make()
    with locked(folder):
        display = Display(console)
        ended = end_leftovers(folder)
        if ended:
            display.line(f"ended {ended} processes that an earlier start had left behind")
        _serve(settings, folder, display, began)


def _serve(given: Settings, folder: StateFolder, display: Display, began: float) -> None:
    ports = own_ports(given, folder)
    settings = settled(given, folder, ports)
    preflight.check_ports(settings)
    zookeeper = ZooKeeperProbe(settings.coordinator_url)
    supervisor = Supervisor(embedded_parts(settings, folder, ports, zookeeper), folder, display)
    stored = settings.model_dump(mode="json", exclude_unset=True)
    is_ready = False

    def changed() -> None:
        parts = tuple(_part_record(child, folder) for child in supervisor.children)
        RunRecord(os.getpid(), is_ready, stored, dict(ports), parts).write(folder)

    def ready() -> None:
        nonlocal is_ready
        is_ready = True
        changed()
        display.ready(settings, folder, time.time() - began)

    try:
        supervisor.run(ready, changed)
    finally:
        zookeeper.close()
        RunRecord.remove(folder)


def _part_record(child: Child, folder: StateFolder) -> PartRecord:
    name, address = child.part.name, child.part.address
    log = str(folder.log_of(name))
    return PartRecord(name, address, log, child.phase.value, child.pid, child.created, child.restarts)
