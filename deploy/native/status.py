"""`digits status`: what runs on a state folder, asked for now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psutil

from deploy.native import stacks
from deploy.native.child import Phase
from deploy.native.folder import StateFolder
from deploy.native.lock import holder
from deploy.native.probes import Probe, ZooKeeperProbe
from deploy.native.record import PartRecord, RunRecord
from deploy.native.stack import Stack, probes
from digits.settings import Settings


@dataclass(frozen=True)
class PartStatus:
    """One part; `health` is up, starting or down, `pid` is 0 where it is down."""

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
    """Whether every part is up."""
    pid: int
    """The supervisor's process id; 0 where none runs."""
    serving_version: str
    """The version of the model that serves; empty where none does."""
    var_dir: str
    parts: tuple[PartStatus, ...]
    serving_problem: str = ""
    """Why something else answers than what serves; empty if nothing does."""


def service_status(settings: Settings) -> ServiceStatus:
    """Asks every part; takes about a second for each that hangs."""
    folder = StateFolder.at(settings.var_dir)
    pid = holder(folder) or 0
    record = RunRecord.read(folder) if pid else None
    if record is None:
        stack = stacks.last(folder) or stacks.STACKS["embedded"]
        parts = tuple(_missing(folder, name) for name in _part_names(stack, settings))
        return ServiceStatus(False, pid, "", str(folder.root), parts)
    given: dict[str, Any] = record.settings
    running = Settings(**given)
    zookeeper = ZooKeeperProbe(running.coordinator_url)
    try:
        answers = probes(stacks.STACKS[record.stack], running, record.ports, zookeeper)
        parts = tuple(_part_status(part, answers[part.name]) for part in record.parts)
        version, problem = zookeeper.serving_version(), zookeeper.serving_problem()
    finally:
        zookeeper.close()
    up = bool(parts) and all(part.health == "up" for part in parts)
    return ServiceStatus(up, pid, version, str(folder.root), parts, problem)


def _part_names(stack: Stack, settings: Settings) -> list[str]:
    """Every part that a start would make, without making one."""
    ports = dict.fromkeys(stack.port_names(settings), 0)
    zookeeper = ZooKeeperProbe(settings.coordinator_url)
    names = probes(stack, settings, ports, zookeeper)
    return [name for name in names if name != "zookeeper" or name in ports]


def _missing(folder: StateFolder, name: str) -> PartStatus:
    return PartStatus(name, "down", 0, "", str(folder.log_of(name)), 0)


def _part_status(part: PartRecord, answers: Probe) -> PartStatus:
    return PartStatus(
        part.name, _health(part, answers), part.pid, part.address, part.log, part.restarts, part.version
    )


def _health(part: PartRecord, answers: Probe) -> str:
    if not part.pid or not psutil.pid_exists(part.pid):
        return "starting" if part.phase == Phase.WAITING else "down"
    if answers(part.pid):
        return "up"
    return "down" if part.phase == Phase.UP else "starting"
