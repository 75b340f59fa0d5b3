"""Brokers of a test's own, to be started and stopped."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from tests.ports import free_port
from tests.servers import rabbitmq_server, rabbitmq_url, valkey_server


@dataclass(frozen=True)
class Broker:
    """Where it is, and how it runs for a while."""

    url: str
    run: Callable[[], AbstractContextManager[None]]


def broker_of(kind: str, folder: Path) -> Broker:
    """A broker that keeps its data in that folder; "valkey" or "rabbitmq"."""
    port = free_port()
    if kind == "rabbitmq":
        return Broker(rabbitmq_url(port), lambda: rabbitmq_server(folder / kind, port))
    return Broker(f"redis://127.0.0.1:{port}", lambda: valkey_server(folder / kind, port))
