from __future__ import annotations

from digits.errors import StoreUnavailable
from digits.jobs.housekeeping import Housekeeping
from tests.unit.job_bench import raising


def test_only_the_elected_server_keeps_house() -> None:
    done: list[str] = []
    Housekeeping(lambda: False, lambda: done.append("tidied"), [lambda: done.append("chore")]).turn()
    assert done == []


def test_jobs_are_tidied_up_after_each_time_and_chores_done_now_and_then() -> None:
    done: list[str] = []
    house = Housekeeping(lambda: True, lambda: done.append("tidied"), [lambda: done.append("chore")])
    for _ in range(3):
        house.turn()
    assert done == ["chore", "tidied", "tidied", "tidied"]


def test_a_chore_that_fails_keeps_nobody_from_the_next() -> None:
    done: list[str] = []
    failing = raising(StoreUnavailable("the store is away"))
    Housekeeping(lambda: True, lambda: done.append("tidied"), [failing, lambda: done.append("chore")]).turn()
    assert done == ["chore", "tidied"]
