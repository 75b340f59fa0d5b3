"""What another user of this machine finds of a running service's secrets, and hears of its ZooKeeper."""

from __future__ import annotations

import psutil
import pytest

from deploy.native.folder import StateFolder
from digits.adapters.zookeeper import ZooKeeperCoordinator
from digits.errors import CoordinatorUnavailable
from tests.service import Service
from tests.waiting import wait_until


def secrets_shown(service: Service) -> list[str]:
    """Names of the secrets that are on a command line, in the record or in a log."""
    folder = StateFolder.at(service.var_dir)
    secrets = {path.name: path.read_text() for path in folder.secrets.iterdir()}
    assert len(secrets) >= 4
    shown = [str(each.info["cmdline"]) for each in psutil.process_iter(["cmdline"])]
    shown += [path.read_text(errors="replace") for path in folder.logs.iterdir()]
    shown.append((folder.run / "record.json").read_text())
    return [name for name, secret in secrets.items() if any(secret in text for text in shown)]


def hears_nothing_of_zookeeper(service: Service) -> None:
    """Fails if ZooKeeper tells something without a login."""
    stranger = ZooKeeperCoordinator(service.settings().coordinator_url, 4, connect_seconds=3)
    with pytest.raises(CoordinatorUnavailable):
        wait_until(lambda: stranger.children("/workers"), seconds=15)
    stranger.close()
