"""A stack: the servers beneath the service, which its own processes reach by settings alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from pydantic import SecretStr

from deploy.native.folder import StateFolder
from deploy.native.part import Part
from deploy.native.ports import free_port, settle
from deploy.native.probes import Probe, ZooKeeperProbe, reachable, service_probes
from deploy.native.service import service_parts
from digits.settings import Settings


class Stack(Protocol):
    """The servers of one stack. One that the environment names is used, and not started."""

    name: str

    def data(self, folder: StateFolder) -> Path:
        """Where everything is that this stack keeps; no other stack keeps anything there."""

    def port_names(self, settings: Settings) -> Sequence[str]:
        """A name for each port of the servers to start; a server's first port has the server's name."""

    def addresses(self, ports: Mapping[str, int]) -> dict[str, object]:
        """The settings that name the started servers; may fetch what they need. Raises CannotStart."""

    def servers(self, folder: Path, ports: Mapping[str, int], answers: Mapping[str, Probe]) -> list[Part]:
        """The servers in start order, their configuration written below `folder`. Raises CannotStart."""

    def probes(self, ports: Mapping[str, int]) -> dict[str, Probe]:
        """The probe of each started server but ZooKeeper, by its name."""

    def notes(self, ports: Mapping[str, int]) -> list[str]:
        """What its user must be told, a line each."""


def own_ports(stack: Stack, settings: Settings, folder: StateFolder) -> dict[str, int]:
    """The ports of the servers to start, remembered from the last start where they are free."""
    return settle(folder.ports, stack.port_names(settings))


def settled(stack: Stack, settings: Settings, folder: StateFolder, ports: Mapping[str, int]) -> Settings:
    """The settings as every process must see them: absolute folders, and the addresses of our own servers."""
    grpc_port = settings.grpc_port or free_port(ports.values())
    rest_port = settings.rest_port or free_port([*ports.values(), grpc_port])
    return Settings(
        **{
            **stack.addresses(ports),
            **settings.model_dump(exclude_unset=True),
            **_absolute(settings),
            "var_dir": stack.data(folder),
            "grpc_port": grpc_port,
            "rest_port": rest_port,
            "server_address": f"{reachable(settings.grpc_host)}:{grpc_port}",
            **_with_tls(settings, [*ports.values(), grpc_port, rest_port]),
        }
    )


def _absolute(settings: Settings) -> dict[str, Any]:
    """The files and folders that are named: the processes run in another folder."""
    given = {name: getattr(settings, name) for name in {*settings.model_fields_set, "data_dir"}}
    return {name: path.expanduser().resolve() for name, path in given.items() if isinstance(path, Path)}


def _with_tls(settings: Settings, taken: Sequence[int]) -> dict[str, Any]:
    """Our own bridge speaks TLS to our own server then, and our own probes ask where none is spoken."""
    if not settings.tls_certificate_file:
        return {}
    return {"server_tls": True, "health_port": settings.health_port or free_port(taken)}


def parts(
    stack: Stack, settings: Settings, folder: StateFolder, ports: Mapping[str, int], zookeeper: ZooKeeperProbe
) -> list[Part]:
    """Every part in start order; `settings` come from `settled`. Writes the servers' configuration."""
    answers = probes(stack, settings, ports, zookeeper)
    servers = stack.servers(stack.data(folder), ports, answers)
    names = tuple(part.name for part in servers)
    return [*servers, *service_parts(settings, variables(settings), names, answers)]


def probes(
    stack: Stack, settings: Settings, ports: Mapping[str, int], zookeeper: ZooKeeperProbe
) -> dict[str, Probe]:
    """The probe of each part, by its name; `ports` are those of our own servers."""
    return {"zookeeper": zookeeper.answers, **stack.probes(ports), **service_probes(settings, zookeeper)}


def variables(settings: Settings) -> dict[str, str]:
    """The settings that are not defaults, as environment variables.

    Secrets are left out: a child inherits them from our environment.
    """
    return {f"DIGITS_{name.upper()}": str(value) for name, value in recordable(settings).items()}


def recordable(settings: Settings) -> dict[str, object]:
    """The settings that are not defaults, as JSON values, without the secret ones."""
    secret = {name for name in settings.model_fields_set if isinstance(getattr(settings, name), SecretStr)}
    given: dict[str, object] = settings.model_dump(mode="json", exclude_unset=True, exclude=secret)
    return given
