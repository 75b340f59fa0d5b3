"""A few random faults on real processes under load; `make chaos` goes on for hundreds."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pytest

from tests.chaos import lines
from tests.chaos.run import Subject, run, subject
from tests.conftest import missing


@pytest.fixture
def broken(tmp_path_factory: pytest.TempPathFactory, mnist: dict[str, np.ndarray]) -> Iterator[Subject]:
    with subject(tmp_path_factory.mktemp("chaos"), mnist) as made:
        yield made


def test_random_faults_break_no_promise(broken: Subject, mnist: dict[str, np.ndarray]) -> None:
    ledger, hits = run(broken, mnist, count=5, seed=204, pause_seconds=3.0)
    assert ledger.violations == []
    assert ledger.accepted and ledger.calls["answered by WORKER"]
    with broken.service.client() as client:
        made = client.list_models().models[0].create_time.ToSeconds()
    assert made > time.time() + 3000, "the trainer's clock is ahead"
    if not broken.disks or lines.why_not():
        missing("root, to fill disks and to cut lines: it was killed, stopped and ended only")
    assert hits["fill"] and hits["cut off"]
