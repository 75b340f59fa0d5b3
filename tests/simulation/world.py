"""Two servers, two trainers, their callers and the systems beneath.

What a schedule changes, and how it comes to rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

from digits.jobs.states import is_final, lease_path
from digits.v1 import digit_service_pb2, models_pb2
from digits.v1 import training_pb2 as pb
from tests.simulation import stand_ins
from tests.simulation.ports import Systems
from tests.simulation.scheduler import Clock, Process, Task
from tests.simulation.server import Server
from tests.simulation.trainer import Trainer

SERVERS, TRAINERS = ("server one", "server two"), ("trainer one", "trainer two")
# Cores differ, and so does how many partitions a log made by either has.
_CORES = {"trainer one": 2, "trainer two": 3}
_CHECKPOINT_EVERY = {"trainer one": 1, "trainer two": 2}
_ROUNDS = 300
_STEPS = 3000


class World:
    """Everything there is; `close` gives the code under test its threads and its time back."""

    def __init__(self) -> None:
        self.clock, self.systems = Clock(), Systems()
        self._patches = pytest.MonkeyPatch()
        stand_ins.install(self._patches, self.clock)
        self.actors: dict[str, Server | Trainer] = {}
        self.dead_sessions: list[Server | Trainer] = []
        self.submissions: list[Task] = []
        self.calls: list[Task] = []
        # How often each job lost its trainer, its log or its room.
        self.blamed: Counter[str] = Counter()
        self.answered: dict[int, int] = {}
        # What each version was seen to have been trained on.
        self.seen: dict[str, np.ndarray] = {}
        for name in (*SERVERS, *TRAINERS):
            self.start(name)

    def close(self) -> None:
        """Ends every process."""
        for actor in self.actors.values():
            actor.process.kill()
        self._patches.undo()

    def start(self, name: str) -> None:
        """Starts a process that is not there."""
        if name in self.actors and self.actors[name].process.alive:
            return
        process = Process(name, self.clock)
        if name in SERVERS:
            self.actors[name] = Server(process, self.systems)
        else:
            self.actors[name] = Trainer(process, self.systems, _CORES[name], _CHECKPOINT_EVERY[name])

    def server(self, name: str) -> Server | None:
        """A server, if it lives."""
        actor = self.actors[name]
        return actor if isinstance(actor, Server) and actor.process.alive else None

    def trainer(self, name: str) -> Trainer | None:
        """A trainer, if it lives."""
        actor = self.actors[name]
        return actor if isinstance(actor, Trainer) and actor.process.alive else None

    def submit(self, name: str, seed: int, request_id: str) -> None:
        """A caller asks a server for a training; the same request_id for the same seed is the same job."""
        if server := self.server(name):
            request = digit_service_pb2.TrainRequest(images_batch=b"images", seed=seed, request_id=request_id)
            call = partial(server.admission.admit, request, "ann")
            self.submissions.append(server.process.spawn(f"submit {request_id}", call))

    def call(self, name: str, what: Callable[[Server], object]) -> None:
        """A caller asks a server for something else."""
        if server := self.server(name):
            self.calls.append(server.process.spawn("call", lambda: what(server)))

    def go(self, name: str, steps: int) -> None:
        """Lets a process go on: its threads take turns."""
        process = self.actors[name].process
        for step in range(steps):
            if not process.tasks:
                return
            process.tasks[step % len(process.tasks)].step()
            self.notice_death(name)

    def deliver(self, name: str, place: int) -> None:
        """Hands one of the messages to a trainer that waits for one."""
        self._replace_if_stopped(name)
        trainer = self.trainer(name)
        if trainer and not trainer.job_id and self.systems.messages:
            trainer.take(self.systems.messages.pop(place % len(self.systems.messages)))

    def stop(self, name: str) -> None:
        """SIGTERM: a trainer hands its job over at its next micro-batch, and then goes."""
        if trainer := self.trainer(name):
            trainer.stopping.set()

    def _replace_if_stopped(self, name: str) -> None:
        trainer = self.trainer(name)
        if trainer and trainer.stopping.is_set() and not trainer.job_id:
            trainer.coordinator.session.close()
            trainer.process.kill()
            self.start(name)

    def kill(self, name: str) -> None:
        """kill -9. The session is there until `end_sessions`."""
        self.actors[name].process.alive = False
        self.notice_death(name)

    def notice_death(self, name: str) -> None:
        """Notes whose job lost its trainer."""
        actor = self.actors[name]
        if actor.process.alive or actor in self.dead_sessions:
            return
        actor.process.kill()
        self.dead_sessions.append(actor)
        if isinstance(actor, Trainer) and actor.job_id:
            self.blamed[actor.job_id] += 1

    def end_sessions(self) -> None:
        """ZooKeeper misses who is dead."""
        for actor in self.dead_sessions:
            actor.coordinator.session.close()

    def tick(self, name: str) -> None:
        """The turn of a process's loops has come."""
        if self.actors[name].process.alive:
            self.actors[name].tick()

    def lose_message(self, place: int) -> None:
        """The broker forgets one."""
        if messages := self.systems.messages:
            messages.pop(place % len(messages))

    def repeat_message(self, place: int) -> None:
        """The broker sends one again, now or much later."""
        if jobs := self.jobs():
            self.systems.messages.append(jobs[place % len(jobs)].job_id)

    def lose_log(self, place: int) -> None:
        """Has a job's log be gone."""
        if job_ids := self.systems.log.jobs():
            self.systems.log.delete(job_ids[place % len(job_ids)])
            self.blamed[job_ids[place % len(job_ids)]] += 1

    def damage_checkpoint(self, place: int) -> None:
        """Has a job's newest checkpoint be damaged."""
        if folders := self.systems.store.folders("checkpoints"):
            newest = self.systems.store.names(folders[place % len(folders)])[-1]
            self.systems.store._files[newest] = self.systems.store._files[newest][:-1]

    def damage_bundle(self, place: int) -> None:
        """Has the bundle of a version be damaged that does not serve, and that nobody has serve just now."""
        nodes = self.systems.tree.nodes
        if not all(task.over() for task in self.calls):
            return
        alias = models_pb2.Serving.FromString(nodes["/serving"].value) if "/serving" in nodes else None
        versions = sorted(path.removeprefix("/models/") for path in nodes if path.startswith("/models/"))
        if others := [version for version in versions if alias is None or version != alias.version]:
            name = f"models/{others[place % len(others)]}.bundle"
            self.systems.store._files[name] += b"junk"

    def jobs(self) -> list[pb.Job]:
        """Every record."""
        nodes = self.systems.tree.nodes
        paths = sorted(path for path in nodes if path.startswith("/jobs/") and not path.endswith("/lease"))
        return [pb.Job.FromString(nodes[path].value) for path in paths]

    def accepted(self) -> dict[str, set[str]]:
        """By request id the jobs that callers were told of."""
        told: dict[str, set[str]] = {}
        for task in self.submissions:
            if isinstance(task.result, pb.Job):
                told.setdefault(task.result.spec.request_id, set()).add(task.result.job_id)
        return told

    def settle(self) -> None:
        """Mends everything, and then lets everybody go on until nothing is left to do."""
        self.systems.away.clear()
        self.systems.full.clear()
        self.end_sessions()
        for _ in range(_ROUNDS):
            self._let_everybody_go_on()
            if self._is_at_rest():
                break
        else:
            states = [(job.job_id, pb.JobState.Name(job.state), job.attempt_count) for job in self.jobs()]
            raise AssertionError(f"no rest: {states}, open {self.open_jobs()}, {self.systems.messages}")
        # What no job owns goes at the second look of a sweep.
        for _ in range(3):
            self.clock.seconds += 30 * 3600.0
            for _ in range(2):
                self._let_everybody_go_on()

    def open_jobs(self) -> list[str]:
        """What the index of open jobs holds."""
        return [path for path in self.systems.tree.nodes if path.startswith("/open/")]

    def leases(self) -> list[str]:
        """The paths of all leases."""
        return [
            lease_path(job.job_id) for job in self.jobs() if lease_path(job.job_id) in self.systems.tree.nodes
        ]

    def _let_everybody_go_on(self) -> None:
        for name in self.actors:
            self.start(name)
            actor = self.actors[name]
            actor.process.fault, actor.process.clock_offset = "", 0.0
            actor.tick()
            self.deliver(name, 0)
        for name, actor in self.actors.items():
            self.go(name, _STEPS if isinstance(actor, Server) else _STEPS // 10)
        self.end_sessions()
        self.clock.seconds += 2.0

    def _is_at_rest(self) -> bool:
        busy = any(isinstance(actor, Trainer) and actor.job_id for actor in self.actors.values())
        return not busy and not self.open_jobs() and all(map(is_final, self.jobs()))
