"""Callers take turns, whoever sent more."""

from __future__ import annotations

import pytest

from digits.errors import CoordinatorUnavailable
from digits.jobs.ids import new_job_id
from digits.jobs.turns import Turns
from tests.unit.job_bench import Bench, raising

# So much of a name says when.
MILLISECOND = len("20261126-051858965")


@pytest.fixture
def bench() -> Bench:
    return Bench()


def submitted(bench: Bench, caller: str) -> str:
    """The name of a new job, of a millisecond of its own: the names are in the order of the calls."""
    job_id = bench.submit(caller=caller).job_id
    while new_job_id()[:MILLISECOND] == job_id[:MILLISECOND]:
        continue
    return job_id


def served(bench: Bench, turns: Turns, message: str) -> str:
    """Whose job a worker runs to its end for a message."""
    job_id = turns.order(message)[0]
    turns.took(job_id)
    return bench.jobs.cancel(job_id).spec.caller


def test_who_sends_one_job_waits_for_one_of_him_who_sent_three(bench: Bench) -> None:
    messages = [submitted(bench, caller) for caller in ("alice", "alice", "alice", "bob", "carol")]
    turns = Turns(bench.jobs)
    assert [served(bench, turns, message) for message in messages] == [
        "alice",
        "bob",
        "carol",
        "alice",
        "alice",
    ]
    assert bench.jobs.unfinished() == []


def test_a_caller_without_a_running_job_comes_before_one_with(bench: Bench) -> None:
    assert bench.lease(submitted(bench, "alice"))
    second, other = submitted(bench, "alice"), submitted(bench, "bob")
    # Another worker, which has served nobody.
    assert Turns(bench.jobs).order(second) == [other, second]


def test_the_oldest_job_of_a_caller_is_first(bench: Bench) -> None:
    jobs = [submitted(bench, "alice") for _ in range(3)]
    assert Turns(bench.jobs).order(jobs[2]) == jobs


def test_a_job_whose_end_was_asked_for_has_no_turn(bench: Bench) -> None:
    job, _ = bench.leased()
    waiting = bench.submit()
    bench.jobs.cancel(job.job_id)
    assert Turns(bench.jobs).order(waiting.job_id) == [waiting.job_id]


def test_while_the_coordinator_is_away_the_named_job_is_taken(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = bench.submit()
    monkeypatch.setattr(bench.coordinator, "children", raising(CoordinatorUnavailable("away")))
    turns = Turns(bench.jobs)
    assert turns.order(job.job_id) == [job.job_id]
    turns.took(job.job_id)
