"""digits.v1.StatusService: how the service is, for a person to look at."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import grpc

from digits.jobs.jobs import Jobs
from digits.jobs.membership import live_workers
from digits.outward import outward
from digits.ports import ArtifactStore, BlockLog, Coordinator
from digits.serving.serving_model import ServingSnapshot
from digits.v1 import status_pb2 as pb
from digits.v1 import status_pb2_grpc, training_pb2
from server.access import Access
from server.asking import Asking


@dataclass(frozen=True)
class Queue:
    """How this server's classifications go: pictures that wait, and whether the workers are passed over."""

    waiting_pictures: Callable[[], int]
    breaker_is_open: Callable[[], bool]


@dataclass(frozen=True)
class _Records:
    """What the coordinator holds of those who work and of their work."""

    workers: list[training_pb2.WorkerStatus]
    unfinished: list[training_pb2.Job]


class StatusServicer(status_pb2_grpc.StatusServiceServicer):
    """Asks the systems at the same time, and tells what this server knows itself."""

    def __init__(
        self,
        coordinator: Coordinator,
        jobs: Jobs,
        store: ArtifactStore,
        log: BlockLog,
        *,
        queue: Queue,
        serving: Callable[[], ServingSnapshot],
        access: Access,
    ) -> None:
        self._access = access
        self._queue, self._serving = queue, serving
        self._records = Asking("coordinator", lambda: _records(coordinator, jobs))
        self._store = Asking("store", lambda: store.folders("models"))
        self._log = Asking("log", log.jobs)

    async def GetStatus(
        self, request: pb.GetStatusRequest, context: grpc.aio.ServicerContext
    ) -> pb.GetStatusResponse:
        """Returns how each part is now, and where, if the caller is an admin."""
        (records, coordinator), (_, store), (_, log) = await asyncio.gather(
            self._records.answer(), self._store.answer(), self._log.answer()
        )
        serving, waiting = self._serving(), self._queue.waiting_pictures()
        parts = [
            _part("coordinator", coordinator),
            _part("store", store),
            _part("log", log),
            self._queue_part(waiting),
            _model_part(serving),
        ]
        response = pb.GetStatusResponse(waiting_picture_count=waiting)
        response.model_version = serving.model.version if serving.model else ""
        if records:
            running = sum(job.state != training_pb2.QUEUED for job in records.unfinished)
            response.running_job_count = running
            response.queued_job_count = len(records.unfinished) - running
            response.workers.extend(records.workers)
            parts += [_classify_part(records.workers), _train_part(records.workers)]
        response.parts.extend(parts)
        if self._access.owner(context):
            _hide_places(response)
        return response

    def _queue_part(self, waiting: int) -> pb.PartStatus:
        if not self._queue.breaker_is_open():
            return pb.PartStatus(name="queue", ok=True, detail=f"{waiting:,} pictures wait")
        return _part("queue", "no worker answers: this server's local model does")


def _records(coordinator: Coordinator, jobs: Jobs) -> _Records:
    workers = [status for role in ("classify", "train") for status in live_workers(coordinator, role)]
    return _Records(workers, jobs.unfinished())


def _hide_places(response: pb.GetStatusResponse) -> None:
    """Where the parts are is for those who run them."""
    for part in response.parts:
        part.detail = outward(part.detail)
    for worker in response.workers:
        worker.error = outward(worker.error)
        worker.ClearField("host")
        worker.ClearField("process_id")


def _part(name: str, problem: str) -> pb.PartStatus:
    return pb.PartStatus(name=name, ok=not problem, detail=problem or "answers")


def _model_part(serving: ServingSnapshot) -> pb.PartStatus:
    if serving.model is None:
        return _part("model", serving.error or "no model serves yet: train one first")
    return pb.PartStatus(
        name="model", ok=not serving.error, detail=serving.error or f"{serving.model.version} serves"
    )


def _classify_part(workers: Sequence[training_pb2.WorkerStatus]) -> pb.PartStatus:
    classify = [worker for worker in workers if worker.role == "classify"]
    failing = next((worker.error for worker in classify if worker.error), "")
    problem = failing if classify else "none lives: this server's local model answers"
    return pb.PartStatus(name="classify workers", ok=not problem, detail=problem or f"{len(classify)} live")


def _train_part(workers: Sequence[training_pb2.WorkerStatus]) -> pb.PartStatus:
    train = [worker for worker in workers if worker.role == "train"]
    if not train:
        return _part("train workers", "none lives: jobs wait")
    idle = sum(worker.HasField("idle_time") for worker in train)
    return pb.PartStatus(name="train workers", ok=True, detail=f"{len(train)} live, {idle} idle")
