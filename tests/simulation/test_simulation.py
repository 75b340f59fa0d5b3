"""Schedules that nobody thought of. `make simulate SECONDS=…` goes on for longer."""

from __future__ import annotations

import pytest
from hypothesis import Phase

from tests.simulation.planted import PLANTED, Plant
from tests.simulation.search import search

_SECONDS = 15.0
# A rare fault takes a minute from some seeds on, and seconds from this one.
_FIRST_SEED = 301
_MAX_SECONDS_TO_FIND = 120.0


def test_no_schedule_breaks_a_promise() -> None:
    assert search(_SECONDS, first_seed=1) > 0


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_a_fault_that_is_put_back_is_found(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        search(_MAX_SECONDS_TO_FIND, first_seed=_FIRST_SEED, phases=(Phase.generate,))
