"""How the service is, as a person is told."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from digits.adapters.memory import MemoryCoordinator, MemoryLog, MemoryStore
from digits.errors import CoordinatorUnavailable
from digits.jobs.jobs import Jobs, new_job
from digits.ports import Create
from digits.security.tokens import Principal, Role, Tokens, line
from digits.serving.serving_model import ServingSnapshot
from digits.v1 import status_pb2 as pb
from digits.v1 import training_pb2
from server.access import Access
from server.asking import Asking
from server.status_servicer import Queue, StatusServicer


class NoQueue:
    def enqueue(self, job_id: str) -> None:
        """Takes every job, and nobody works."""


class Away(MemoryCoordinator):
    def children(self, path: str) -> NoReturn:
        raise CoordinatorUnavailable("ZooKeeper does not answer")


def status(
    coordinator: MemoryCoordinator,
    store: Any = None,
    breaker_is_open: Callable[[], bool] = lambda: False,
    serving: ServingSnapshot | None = None,
    *,
    access: Access | None = None,
    call: object = None,
) -> pb.GetStatusResponse:
    servicer = StatusServicer(
        coordinator,
        Jobs(coordinator, NoQueue()),
        store or MemoryStore(),
        MemoryLog(),
        queue=Queue(lambda: 7, breaker_is_open),
        serving=lambda: serving or ServingSnapshot(),
        access=access or Access(None, 1),
    )
    return asyncio.run(servicer.GetStatus(pb.GetStatusRequest(), call))  # type: ignore[arg-type]


def parts(response: pb.GetStatusResponse) -> dict[str, tuple[bool, str]]:
    return {part.name: (part.ok, part.detail) for part in response.parts}


def works(coordinator: MemoryCoordinator, role: str, **said: Any) -> None:
    worker = training_pb2.WorkerStatus(role=role, **said)
    coordinator.commit(Create(f"/workers/{role}/one", worker.SerializeToString()))


def test_a_service_that_just_began_says_what_is_missing() -> None:
    said = parts(status(MemoryCoordinator()))
    assert said["coordinator"] == said["store"] == said["log"] == (True, "answers")
    assert said["model"] == (False, "no model serves yet: train one first")
    assert said["train workers"] == (False, "none lives: jobs wait")
    assert said["classify workers"][0] is False


def test_workers_and_jobs_are_counted() -> None:
    coordinator = MemoryCoordinator()
    works(coordinator, "classify", model_version="v1")
    works(coordinator, "train")
    jobs = Jobs(coordinator, NoQueue())
    for state in (training_pb2.QUEUED, training_pb2.QUEUED, training_pb2.TRAINING):
        job = new_job(training_pb2.TrainSpec())
        job.state = state
        jobs.add(job)
    response = status(coordinator)
    assert (response.queued_job_count, response.running_job_count) == (2, 1)
    assert response.waiting_picture_count == 7
    assert parts(response)["train workers"] == (True, "1 live, 0 idle")
    assert [worker.model_version for worker in response.workers] == ["v1", ""]


def test_a_worker_that_cannot_follow_is_not_well() -> None:
    coordinator = MemoryCoordinator()
    works(coordinator, "classify", error="v2 is damaged")
    assert parts(status(coordinator))["classify workers"] == (False, "v2 is damaged")


class Call:
    """A call with a token."""

    def __init__(self, token: str) -> None:
        self._token = token

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        """See grpc.aio.ServicerContext."""
        return (("authorization", f"Bearer {self._token}"),)


@pytest.mark.parametrize(("role", "sees"), [(Role.ADMIN, True), (Role.CLASSIFY, False), (Role.TRAIN, False)])
def test_where_the_parts_are_is_told_to_admins_alone(tmp_path: Path, role: Role, sees: bool) -> None:
    (tmp_path / "tokens").write_text(line(Principal("ann", frozenset({role})), "t"))
    coordinator = MemoryCoordinator()
    works(
        coordinator,
        "classify",
        host="inside-1",
        process_id=7,
        error="kafka.inside:9092 is away",
        model_version="v1",
    )
    access = Access(Tokens(tmp_path / "tokens"), 1)
    response = status(coordinator, access=access, call=Call("t"))
    assert ("inside" in str(response), "process_id" in str(response)) == (sees, sees)
    assert [worker.model_version for worker in response.workers] == ["v1"]
    assert "is away" in parts(response)["classify workers"][1]


def test_a_queue_that_nobody_answers_is_not_well() -> None:
    assert parts(status(MemoryCoordinator(), breaker_is_open=lambda: True))["queue"][0] is False


def test_a_system_that_is_away_is_named_and_the_others_are_told_all_the_same() -> None:
    said = parts(status(Away()))
    assert said["coordinator"] == (False, "ZooKeeper does not answer")
    assert said["store"] == (True, "answers")


def test_a_system_that_hangs_is_waited_for_once_and_not_asked_again_meanwhile() -> None:
    let_go, asked = threading.Event(), []

    def ask() -> str:
        asked.append(1)
        let_go.wait(30)
        return "well"

    async def thrice() -> list[tuple[str | None, str]]:
        loop = asyncio.get_running_loop()
        store = Asking("store", ask, patience_seconds=0.05)
        first = await store.answer()
        began = loop.time()
        second = await store.answer()
        assert loop.time() - began < 0.04
        assert asked == [1]
        let_go.set()
        while (third := await store.answer()) == first:
            await asyncio.sleep(0)
        return [first, second, third]

    late = (None, "has not answered for 0.05 s")
    assert asyncio.run(thrice()) == [late, late, ("well", "")]
