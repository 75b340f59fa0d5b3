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

from deploy.native import preflight, secrets
from deploy.native.display import Display
from deploy.native.folder import StateFolder
from deploy.native.plan import own_ports, own_secrets, specs
from deploy.native.process_settings import process_settings, recordable
from deploy.native.service import metrics
from deploy.native.service.registry_reader import RegistryReader
from deploy.native.stacks import chosen
from deploy.native.supervision.lock import locked
from deploy.native.supervision.managed_process import ManagedProcess
from deploy.native.supervision.orphans import end_orphans
from deploy.native.supervision.record import ProcessRecord, RunRecord
from deploy.native.supervision.supervisor import Supervisor
from digits.adapters.zookeeper_access import ZooKeeperAccess
from digits.settings import Settings


def up(settings: Settings, console: Console, stack_name: str) -> None:
    """Runs the service on that stack until a signal stops it; raises CannotStart with one sentence."""
    began = psutil.Process().create_time()
    preflight.check_installed()
    preflight.check_traces(settings)
    folder, display = StateFolder.at(settings.var_dir), Display(console)
    with owned(folder, display):
        stack, notes = chosen.choose(stack_name, folder)
        ports = own_ports(stack, settings, folder)
        for note in [*notes, *stack.notes(ports)]:
            display.line(escape(note))
        shared = own_secrets(stack, settings, folder)
        given = process_settings(stack, settings, folder, ports, shared)
        preflight.check_exposure(given)
        preflight.check_ports(given)
        metrics.write_targets(folder.metrics_targets, given, ports)
        secrets.hand_on(folder, given)
        with closing(RegistryReader(given.coordinator_url, ZooKeeperAccess.of(given))) as registry:
            planned = specs(stack, given, folder, ports, shared, registry=registry)
            supervisor = Supervisor(planned, folder, display)
            plan = RunRecord(os.getpid(), False, recordable(given), ports, stack=stack.name)
            serve(supervisor, folder, plan, lambda: display.ready(given, folder, time.time() - began))


@contextmanager
def owned(folder: StateFolder, display: Display) -> Iterator[None]:
    """Makes the folder ours, and ends what an earlier owner left running. Raises CannotStart."""
    folder.make()
    with locked(folder):
        ended = end_orphans(folder)
        if ended:
            display.line(f"ended {ended} processes that an earlier start had left running")
        try:
            yield
        finally:
            RunRecord.remove(folder)


def serve(supervisor: Supervisor, folder: StateFolder, plan: RunRecord, announce: Callable[[], None]) -> None:
    """Runs the supervisor and keeps the record true; calls `announce` once everything is up."""
    is_ready = False

    def record() -> None:
        processes = tuple(_process_record(process, folder) for process in supervisor.processes)
        replace(plan, ready=is_ready, processes=processes).write(folder)

    def ready() -> None:
        nonlocal is_ready
        is_ready = True
        announce()

    supervisor.run(ready, record)


def _process_record(process: ManagedProcess, folder: StateFolder) -> ProcessRecord:
    spec = process.spec
    log, phase = str(folder.log_of(spec.name)), process.phase.value
    return ProcessRecord(
        spec.name, spec.address, log, phase, process.pid, process.created, process.restarts, spec.version
    )
