"""Schedules.

Who goes on when, and what goes wrong meanwhile. Hypothesis draws them, and shrinks what fails.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.simulation import invariants
from tests.simulation.ports import FAULTS, SYSTEMS
from tests.simulation.trainer import GOOD, HOPELESS, POISON
from tests.simulation.world import SERVERS, TRAINERS, World

_servers, _trainers = st.sampled_from(SERVERS), st.sampled_from(TRAINERS)
_processes = st.sampled_from((*SERVERS, *TRAINERS))
_places = st.integers(0, 3)


def _event(name: str, *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.tuples(st.just(name), *arguments)


_train = _event("train", _trainers, _places, st.integers(1, 400))
_serve = _event("serve", _servers, st.integers(1, 80))
# One rule for all: Hypothesis leaves out half of a machine's rules in each schedule, and without these two
# nothing ever happens.
_events = st.one_of(
    *(_train, _train, _train, _train, _serve, _serve),
    _event("submit", _servers, st.sampled_from((GOOD, GOOD, GOOD, HOPELESS, POISON)), _places),
    _event("call", _servers, st.sampled_from(("cancel", "promote", "promote", "roll back")), _places),
    _event("fail", _processes, st.sampled_from(FAULTS), st.integers(1, 10)),
    _event("fail", _trainers, st.sampled_from(FAULTS), st.integers(1, 10)),
    _event(
        "disturb", _processes, st.sampled_from(("kill", "stop", "end session", "doubt session", "set clock"))
    ),
    _event("change", st.sampled_from(SYSTEMS), st.sampled_from(("away", "back", "full", "emptied"))),
    _event(
        "spoil",
        st.sampled_from(("lose message", "repeat message", "lose log", "damage", "damage bundle")),
        _places,
    ),
    _event("pass_time", st.sampled_from((5.0, 130.0, 700.0))),
)


class Schedule(RuleBasedStateMachine):
    """Two servers, two trainers and their callers, over systems that go wrong."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()

    def teardown(self) -> None:
        """Every schedule ends in rest."""
        try:
            self.world.settle()
            invariants.check_at_rest(self.world)
        finally:
            self.world.close()

    @initialize(server=_servers)
    def begin(self, server: str) -> None:
        """There is something to do."""
        self.submit(server, GOOD, 0)
        self.world.go(server, 10)

    @rule(event=_events)
    def happens(self, event: tuple[Any, ...]) -> None:
        """One of the methods below, with its arguments."""
        name, *arguments = event
        getattr(self, name)(*arguments)
        invariants.check_always(self.world)

    def submit(self, server: str, seed: int, again: int) -> None:
        """A caller, or the same one once more."""
        self.world.submit(server, seed, f"request-{seed}-{again}")

    def call(self, server: str, what: str, place: int) -> None:
        """A caller who wants something else."""
        if what == "promote":
            self.world.call(server, lambda it: it.promotion.promote(f"v{place + 1}", "bob"))
        elif what == "roll back":
            self.world.call(server, lambda it: it.promotion.rollback("", "bob"))
        elif jobs := self.world.jobs():
            job_id = jobs[place % len(jobs)].job_id
            self.world.call(server, lambda it: it.jobs.cancel(job_id))

    def serve(self, server: str, steps: int) -> None:
        """A server goes on."""
        self.world.tick(server)
        self.world.go(server, steps)

    def train(self, trainer: str, place: int, steps: int) -> None:
        """A trainer goes on, with any of the messages if it has no job. The other may have been stopped."""
        self.world.tick(trainer)
        self.world.deliver(trainer, place)
        self.world.go(trainer, steps)

    def fail(self, process: str, fault: str, steps: int) -> None:
        """A process's next call fails, and it goes on."""
        self.world.actors[process].process.fault = fault
        self.world.go(process, steps)

    def disturb(self, process: str, what: str) -> None:
        """A process ends and is started again, or was silent for too long, or somebody set its clock."""
        if what == "kill":
            self.world.kill(process)
            self.world.start(process)
        elif what == "stop":
            self.world.stop(process)
        elif what == "end session":
            self.world.actors[process].coordinator.expire_session()
        elif what == "doubt session":
            self.world.actors[process].coordinator.doubt()
        else:
            self.world.actors[process].process.clock_offset -= 3600.0

    def change(self, system: str, what: str) -> None:
        """A system is stopped or started, or its disk is full or not."""
        if what in ("away", "back"):
            _put(self.world.systems.away, system, what == "away")
        elif system in ("store", "log"):
            _put(self.world.systems.full, system, what == "full")

    def spoil(self, what: str, place: int) -> None:
        """The broker forgets or repeats, somebody removes a log, or a disk damages a checkpoint."""
        {
            "lose message": self.world.lose_message,
            "repeat message": self.world.repeat_message,
            "lose log": self.world.lose_log,
            "damage": self.world.damage_checkpoint,
            "damage bundle": self.world.damage_bundle,
        }[what](place)

    def pass_time(self, seconds: float) -> None:
        """Sessions of whoever is dead end, messages are late, chores are due."""
        self.world.end_sessions()
        self.world.clock.seconds += seconds


def _put(into: set[str], system: str, there: bool) -> None:
    into.add(system) if there else into.discard(system)
