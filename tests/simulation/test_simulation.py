"""Schedules that nobody thought of. `make simulate SECONDS=…` goes on for longer."""

from __future__ import annotations

import pytest
from hypothesis import Phase

from tests.simulation.planted import PLANTED, Plant
from tests.simulation.search import search

_SECONDS = 15.0
# What comes from a seed depends on the modules that other tests loaded, since Hypothesis draws their
# constants, too. The rarest fault takes half a minute of a core in the mean: ten times that is hardly ever.
_FIRST_SEED = 301
_MAX_SECONDS_TO_FIND = 400.0


def test_no_schedule_breaks_a_promise() -> None:
    assert search(_SECONDS, first_seed=1) > 0


@pytest.mark.timeout(_MAX_SECONDS_TO_FIND + 60)
@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_a_fault_that_is_put_back_is_found(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        search(_MAX_SECONDS_TO_FIND, first_seed=_FIRST_SEED, phases=(Phase.generate,))
