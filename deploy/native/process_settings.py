"""The settings as every process of the service must see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from deploy.native.folder import StateFolder
from deploy.native.ports import free_port
from deploy.native.servers.server import OPEN
from deploy.native.service.addresses import reachable
from deploy.native.stacks.stack import Stack, addresses
from digits.settings import Settings


def process_settings(
    stack: Stack,
    settings: Settings,
    folder: StateFolder,
    ports: Mapping[str, int],
    secrets: Mapping[str, str] = OPEN,
) -> Settings:
    """Adds absolute folders, ports for 0, and the addresses of our own servers, whose ports are `ports`.

    Raises CannotStart.
    """
    grpc_port = settings.grpc_port or free_port(ports.values())
    rest_port = settings.rest_port or free_port([*ports.values(), grpc_port])
    return Settings(
        **{
            **addresses(stack, ports, secrets),
            **settings.model_dump(exclude_unset=True),
            **_absolute(settings),
            "var_dir": stack.data(folder),
            "secrets_dir": folder.secrets,
            "grpc_port": grpc_port,
            "rest_port": rest_port,
            "server_address": f"{reachable(settings.grpc_host)}:{grpc_port}",
            **_with_tls(settings, [*ports.values(), grpc_port, rest_port]),
        }
    )


def variables(settings: Settings) -> dict[str, str]:
    """The settings that are not defaults, as environment variables.

    Secrets are left out: a process reads them from the folder that `secrets.hand_on` fills.
    """
    return {f"DIGITS_{name.upper()}": str(value) for name, value in recordable(settings).items()}


def recordable(settings: Settings) -> dict[str, object]:
    """The settings that are not defaults, as JSON values, without the secret ones."""
    secret = {name for name in settings.model_fields_set if isinstance(getattr(settings, name), SecretStr)}
    given: dict[str, object] = settings.model_dump(mode="json", exclude_unset=True, exclude=secret)
    return given


def _absolute(settings: Settings) -> dict[str, Any]:
    """The files and folders that are named: the processes run in another folder."""
    given = {name: getattr(settings, name) for name in {*settings.model_fields_set, "data_dir"}}
    return {name: path.expanduser().resolve() for name, path in given.items() if isinstance(path, Path)}


def _with_tls(settings: Settings, taken: Sequence[int]) -> dict[str, Any]:
    """With TLS our own bridge speaks it to our own server, and our own probes ask on a port without it."""
    if not settings.tls_certificate_file:
        return {}
    return {"server_tls": True, "health_port": settings.health_port or free_port(taken)}
