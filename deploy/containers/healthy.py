"""A container's health check: `python -m deploy.containers.healthy server|bridge|train|classify`.

The exit code is 0 if the process that this container is for can be used. Addresses come from the settings.
"""

from __future__ import annotations

import socket
import sys
from contextlib import closing

from deploy.native.service.addresses import health_address
from deploy.native.service.bridge import bridge_answers
from deploy.native.service.grpc_server import server_answers
from digits import bootstrap
from digits.errors import DigitsError
from digits.jobs.membership import live_workers
from digits.settings import Settings

ROLES = ("server", "bridge", "train", "classify")


def healthy(role: str, settings: Settings) -> bool:
    """Whether the container's own server or bridge answers, or its worker is registered."""
    if role == "server":
        return server_answers(health_address(settings))
    if role == "bridge":
        return bridge_answers(settings)
    return worker_registered(role, settings)


def worker_registered(role: str, settings: Settings) -> bool:
    """Whether ZooKeeper knows a live worker of that role on this host."""
    try:
        with closing(bootstrap.coordinator(settings)) as coordinator:
            return any(worker.host == socket.gethostname() for worker in live_workers(coordinator, role))
    except DigitsError:
        return False


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in ROLES:
        sys.exit(f"usage: python -m deploy.containers.healthy {{{','.join(ROLES)}}}")
    sys.exit(not healthy(sys.argv[1], Settings()))
