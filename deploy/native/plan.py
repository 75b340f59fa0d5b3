"""Every process of one start: the servers of a stack, then the service's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from deploy.native import secrets
from deploy.native.errors import CannotStart
from deploy.native.folder import StateFolder
from deploy.native.ports import allocate_ports
from deploy.native.process_settings import variables
from deploy.native.servers.server import OPEN, Server, server_spec
from deploy.native.service import metrics
from deploy.native.service.processes import PROCESSES, service_specs
from deploy.native.service.registry_reader import RegistryReader
from deploy.native.stacks.stack import Stack, started, to_start
from deploy.native.supervision.process_spec import ProcessSpec
from digits.settings import Settings


def port_names(stack: Stack, settings: Settings) -> list[str]:
    """A name for each port of the servers to start."""
    servers = [port for server in to_start(stack, settings) for port in server.ports]
    return [*servers, *metrics.port_names(settings)]


def own_ports(stack: Stack, settings: Settings, folder: StateFolder) -> dict[str, int]:
    """The ports of the servers to start, remembered from the last start if they are free."""
    return allocate_ports(folder.ports, port_names(stack, settings))


def process_names(stack: Stack, settings: Settings) -> list[str]:
    """Every process that a start would make."""
    servers = [server.name for server in to_start(stack, settings)]
    return [*servers, *(process.name for process in PROCESSES)]


def own_secrets(stack: Stack, settings: Settings, folder: StateFolder) -> dict[str, str]:
    """A new secret for each server to start, by its name. Raises CannotStart."""
    try:
        return secrets.make(folder, [server.name for server in to_start(stack, settings)])
    except OSError as error:
        raise CannotStart(f"cannot write {folder.secrets} ({error.strerror})") from error


def server_specs(
    stack: Stack, folder: StateFolder, ports: Mapping[str, int], shared: Mapping[str, str] = OPEN
) -> list[ProcessSpec]:
    """The servers with those ports, in start order. Writes their configuration. Raises CannotStart."""
    return [server_spec(server, stack.data(folder), ports, shared) for server in started(stack, ports)]


def specs(
    stack: Stack,
    settings: Settings,
    folder: StateFolder,
    ports: Mapping[str, int],
    shared: Mapping[str, str],
    *,
    registry: RegistryReader,
) -> list[ProcessSpec]:
    """Every process in start order; `settings` come from `process_settings`. Raises CannotStart."""
    servers = server_specs(stack, folder, ports, shared)
    names = tuple(server.name for server in servers)
    shown = metrics.ports(settings, ports)
    return [*servers, *service_specs(settings, variables(settings), names, registry, shown)]


def probes(
    stack: Stack,
    settings: Settings,
    ports: Mapping[str, int],
    shared: Mapping[str, str],
    registry: RegistryReader,
) -> dict[str, Callable[[int], bool]]:
    """Whether each process of a running service can be used, asked by its process id; by its name."""
    servers = {server.name: _ignoring_pid(server, ports, shared) for server in started(stack, ports)}
    own = {process.name: partial(process.answers, settings, registry) for process in PROCESSES}
    return {**servers, **own}


def _ignoring_pid(
    server: Server, ports: Mapping[str, int], shared: Mapping[str, str]
) -> Callable[[int], bool]:
    return lambda _pid: server.answers(ports, shared)
