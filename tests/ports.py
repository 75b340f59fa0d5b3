"""Ports of this machine's loopback that a test can have."""

from __future__ import annotations

import itertools
import random
import socket

from deploy.native.ports import is_free

# Below what systems hand to outgoing connections, and below what deploy/native takes. Several processes may
# look for ports at a time: each begins somewhere else, and none takes one twice.
_PORTS = itertools.cycle(range(10_000, 20_000))
_CANDIDATES = itertools.islice(_PORTS, random.SystemRandom().randrange(10_000), None)


def free_port() -> int:
    """One that nobody listens on, another one each time."""
    return next(port for port in _CANDIDATES if is_free("127.0.0.1", port))


def listens(port: int) -> bool:
    """Whether something takes connections there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
