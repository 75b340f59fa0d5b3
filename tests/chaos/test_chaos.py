"""A few random faults on real processes under load; `make chaos` goes on for hundreds."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from tests.chaos.run import run
from tests.conftest import data_folder, started
from tests.ports import free_port
from tests.service import Service


@pytest.fixture
def service(tmp_path_factory: pytest.TempPathFactory, mnist: dict[str, np.ndarray]) -> Iterator[Service]:
    """A service of its own, since nothing of it stays whole."""
    folder = tmp_path_factory.mktemp("chaos")
    yield from started(Service(folder / "var", data_folder(folder, mnist), free_port(), free_port()))


def test_random_faults_break_no_promise(service: Service, mnist: dict[str, np.ndarray]) -> None:
    ledger = run(service, mnist, count=5, seed=4, pause_seconds=3.0)
    assert ledger.violations == []
    assert ledger.accepted and ledger.calls["answered by WORKER"]
