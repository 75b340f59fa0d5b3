"""`digits up`: the service and its servers in the foreground."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

import psutil
from rich.console import Console
from rich.markup import escape

from deploy.native import preflight, stacks
from deploy.native.child import Child
from deploy.native.display import Display
from deploy.native.folder import StateFolder
from deploy.native.leftovers import end_leftovers
from deploy.native.lock import locked
from deploy.native.probes import ZooKeeperProbe
from deploy.native.record import PartRecord, RunRecord
from deploy.native.stack import own_ports, parts, recordable, settled
from deploy.native.supervisor import Supervisor
from digits.settings import Settings


def up(settings: Settings, console: Console, stack_name: str) -> None:
    """Runs the service on that stack until a signal stops it; raises CannotStart with one sentence."""
    began = psutil.Process().create_time()
    preflight.check_installed()
    folder, display = StateFolder.at(settings.var_dir), Display(console)
    with owned(folder, display):
        stack, notes = stacks.choose(stack_name, folder)
        ports = own_ports(stack, settings, folder)
        for note in [*notes, *stack.notes(ports)]:
            display.line(escape(note))
        given = settled(stack, settings, folder, ports)
        preflight.check_exposure(given)
        preflight.check_ports(given)
        with closing(ZooKeeperProbe(given.coordinator_url)) as zookeeper:
            supervisor = Supervisor(parts(stack, given, folder, ports, zookeeper), folder, display)
            plan = RunRecord(os.getpid(), False, recordable(given), ports, stack=stack.name)
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
    return PartRecord(
        name, address, log, child.phase.value, child.pid, child.created, child.restarts, child.part.version
    )
