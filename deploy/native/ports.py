"""Loopback ports that our own servers take and remember."""

from __future__ import annotations

import json
import random
import socket
from collections.abc import Iterable
from pathlib import Path

from deploy.native.errors import CannotStart

# Below the range that systems hand to outgoing connections, which would take a remembered port now and then.
MIN_PORT, MAX_PORT = 20000, 32000


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def free_port(taken: Iterable[int]) -> int:
    """A free loopback port that is not among the taken ones."""
    excluded = set(taken)
    candidates = random.sample(range(MIN_PORT, MAX_PORT), 500)
    for port in candidates:
        if port not in excluded and is_free("127.0.0.1", port):
            return port
    raise CannotStart(f"no free port on 127.0.0.1 between {MIN_PORT} and {MAX_PORT}")


def allocate_ports(path: Path, names: Iterable[str]) -> dict[str, int]:
    """The port of each name: the remembered one if it is free, else a new one, remembered."""
    remembered = _read(path)
    ports: dict[str, int] = {}
    for name in names:
        port = remembered.get(name, 0)
        usable = port > 0 and port not in ports.values() and is_free("127.0.0.1", port)
        ports[name] = port if usable else free_port(ports.values())
    kept = {**remembered, **ports}
    if kept != remembered:
        path.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    return ports


def _read(path: Path) -> dict[str, int]:
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    if not isinstance(stored, dict):
        return {}
    return {name: port for name, port in stored.items() if isinstance(port, int)}
