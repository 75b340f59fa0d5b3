"""`digits status`: what runs on a state folder, asked for now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psutil

from deploy.native import secrets
from deploy.native.folder import StateFolder
from deploy.native.plan import probes, process_names
from deploy.native.service.registry_reader import RegistryReader
from deploy.native.stacks import chosen
from deploy.native.supervision.lock import holder
from deploy.native.supervision.managed_process import Phase
from deploy.native.supervision.record import ProcessRecord, RunRecord
from digits.adapters.zookeeper_access import ZooKeeperAccess
from digits.settings import Settings


@dataclass(frozen=True)
class ProcessStatus:
    """One process; `health` is up, starting or down, `pid` is 0 when it is down."""

    name: str
    health: str
    pid: int
    address: str
    log: str
    restarts: int
    version: str = ""


@dataclass(frozen=True)
class ServiceStatus:
    """The service of one state folder."""

    up: bool
    """Whether every process is up."""
    pid: int
    """The supervisor's process id; 0 if none runs."""
    serving_version: str
    """The version of the model that serves; empty if none does."""
    var_dir: str
    parts: tuple[ProcessStatus, ...]
    """Its processes; `parts` is what `digits status --json` has always called them."""
    serving_problem: str = ""
    """Why something else answers than what serves; empty if nothing does."""


def service_status(settings: Settings) -> ServiceStatus:
    """Asks every process; takes about a second for each that hangs."""
    folder = StateFolder.at(settings.var_dir)
    pid = holder(folder) or 0
    record = RunRecord.read(folder) if pid else None
    if record is None:
        return ServiceStatus(False, pid, "", str(folder.root), _missing(folder, settings))
    given: dict[str, Any] = record.settings
    running = Settings(**given)
    registry = RegistryReader(running.coordinator_url, ZooKeeperAccess.of(running))
    try:
        shared = secrets.read(folder, record.ports)
        answers = probes(chosen.STACKS[record.stack], running, record.ports, shared, registry)
        found = tuple(_process_status(each, answers[each.name]) for each in record.processes)
        version, problem = registry.serving_version(), registry.serving_problem()
    finally:
        registry.close()
    up = bool(found) and all(each.health == "up" for each in found)
    return ServiceStatus(up, pid, version, str(folder.root), found, problem)


def _missing(folder: StateFolder, settings: Settings) -> tuple[ProcessStatus, ...]:
    """Every process that a start would make, without making one."""
    stack = chosen.last(folder) or chosen.STACKS["embedded"]
    names = process_names(stack, settings)
    return tuple(ProcessStatus(name, "down", 0, "", _log_of(folder, name), 0) for name in names)


def _log_of(folder: StateFolder, name: str) -> str:
    """Where its log is; empty if it never had one."""
    log = folder.log_of(name)
    return str(log) if log.exists() else ""


def _process_status(record: ProcessRecord, answers: Callable[[int], bool]) -> ProcessStatus:
    health = _health(record, answers)
    return ProcessStatus(
        record.name, health, record.pid, record.address, record.log, record.restarts, record.version
    )


def _health(record: ProcessRecord, answers: Callable[[int], bool]) -> str:
    if not record.pid or not psutil.pid_exists(record.pid):
        return "starting" if record.phase == Phase.WAITING else "down"
    if answers(record.pid):
        return "up"
    return "down" if record.phase == Phase.UP else "starting"
