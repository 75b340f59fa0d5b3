"""Services that are broken, each in a way of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import data_folder, started, train
from tests.ports import free_port
from tests.service import Service


@pytest.fixture(scope="session")
def breakable_service(
    tmp_path_factory: pytest.TempPathFactory, mnist: dict[str, np.ndarray]
) -> Iterator[Service]:
    """Another one with a model that serves, whose trainer is broken while others use the first."""
    yield from _another(tmp_path_factory.mktemp("breakable"), mnist)


@pytest.fixture(scope="session")
def outage_service(
    tmp_path_factory: pytest.TempPathFactory, mnist: dict[str, np.ndarray]
) -> Iterator[Service]:
    """A third, whose ZooKeeper, broker and workers go away and come back, and which is started again.

    On one core: half as much to start, each time.
    """
    yield from _another(tmp_path_factory.mktemp("outages"), mnist, spark_master="local[1]")


def _another(folder: Path, mnist: dict[str, np.ndarray], **settings: str) -> Iterator[Service]:
    data = data_folder(folder, mnist)
    for running in started(Service(folder / "var", data, free_port(), free_port(), **settings)):
        train(running)
        yield running
