"""Steady load: callers who classify, train and promote, and write down what they are told."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable

import numpy as np
from grpc import StatusCode

from digits.client.client import Client
from digits.client.errors import RemoteError
from digits.final_states import FINAL
from digits.v1 import digit_service_pb2
from digits.v1 import training_pb2 as pb
from tests.chaos.ledger import Batch, Ledger

# A server that was killed is back in three seconds on a machine at rest, and in ten on this one.
_PATIENCE_SECONDS = 60.0
_BETWEEN_CLASSIFICATIONS_SECONDS = 0.05
_BETWEEN_PROMOTIONS_SECONDS = 5.0
_IMAGES = 2_000


class Load:
    """Three threads of callers, until `stop`."""

    def __init__(self, address: str, mnist: dict[str, np.ndarray], ledger: Ledger, good: list[str]) -> None:
        self._address, self._mnist, self._ledger, self._good = address, mnist, ledger, good
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._endure, args=(turn,), daemon=True)
            for turn in (self._classify, self._train, self._promote)
        ]
        self._random = np.random.default_rng(0)
        self._requests = 0
        self._pictures = self._certain()

    def start(self) -> None:
        """Begins."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ends; the training under way is waited for by nobody."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(_PATIENCE_SECONDS + 30)

    def _endure(self, turn: Callable[[Client], None]) -> None:
        with Client(self._address, patience_seconds=_PATIENCE_SECONDS) as client:
            while not self._stopping.is_set():
                try:
                    turn(client)
                except RemoteError as error:
                    self._ledger.violate(f"{turn.__name__.strip('_')} failed: {error.code.name}: {error}")

    def _classify(self, client: Client) -> None:
        at = int(self._random.integers(len(self._pictures)))
        pixels, expected = self._pictures[at]
        started = time.monotonic()
        answer = client.classify(pixels=pixels)
        served_by = digit_service_pb2.ServedBy.Name(answer.served_by)
        self._ledger.answer(expected, answer.digit, time.monotonic() - started, served_by)
        self._stopping.wait(_BETWEEN_CLASSIFICATIONS_SECONDS)

    def _train(self, client: Client) -> None:
        """Sends a batch until somebody says that it was accepted, and waits for the job's end."""
        self._requests += 1
        request_id, batch = f"chaos-{self._requests}", self._batch(self._requests)
        file = io.BytesIO()
        np.savez(
            file,
            x_train=batch.images,
            y_train=batch.labels,
            x_test=self._mnist["x_test"][:500],
            y_test=self._mnist["y_test"][:500],
        )
        self._ledger.begin(request_id)
        while not self._stopping.is_set() and request_id not in self._ledger.accepted:
            try:
                first = next(
                    client.train(images_batch=file.getvalue(), request_id=request_id, promotion="NEVER")
                )
                self._ledger.accept(request_id, first.job_id, batch)
            except RemoteError as error:
                self._require_away(error)
                self._ledger.note("trainings sent again")
                self._stopping.wait(0.5)
        while not self._stopping.is_set() and not self._is_over(client, request_id):
            self._stopping.wait(0.5)

    def _is_over(self, client: Client, request_id: str) -> bool:
        try:
            is_over = client.get_job(self._ledger.accepted[request_id][0]).state in FINAL
        except RemoteError as error:
            self._require_away(error)
            return False
        if is_over:
            self._ledger.end(request_id)
        return is_over

    def _promote(self, client: Client) -> None:
        """Has one good version after the other serve. Without ZooKeeper nobody can."""
        for version in self._good:
            try:
                client.promote_model(version)
                self._ledger.note("promotions")
            except RemoteError as error:
                self._require_away(error)
                self._ledger.note("promotions that had to wait")
            if self._stopping.wait(_BETWEEN_PROMOTIONS_SECONDS):
                return

    def _require_away(self, error: RemoteError) -> None:
        """What changes something may be told that a system is away, and nothing else."""
        if error.code not in (StatusCode.UNAVAILABLE, StatusCode.DEADLINE_EXCEEDED, StatusCode.CANCELLED):
            raise error

    def _batch(self, number: int) -> Batch:
        chosen = np.random.default_rng(number).permutation(len(self._mnist["x_train"]) - 1)[:_IMAGES]
        return Batch(self._mnist["x_train"][chosen], self._mnist["y_train"][chosen])

    def _certain(self) -> list[tuple[bytes, int]]:
        """Pictures that every good version reads for sure: whoever reads one otherwise is broken."""
        certain = []
        with Client(self._address) as client:
            for image, label in zip(self._mnist["x_test"][:60], self._mnist["y_test"][:60], strict=True):
                answers = [client.classify(pixels=image.tobytes(), model_version=good) for good in self._good]
                if all(a.digit == label and a.confidence > 0.9 for a in answers):
                    certain.append((image.tobytes(), int(label)))
        assert len(certain) > 20, "the good versions are not good"
        return certain


def found_no_room(job: pb.Job) -> bool:
    """Whether it failed for a disk that was full, and says so."""
    return job.state == pb.FAILED and "No space left" in job.progress.error.message


def is_success(job: pb.Job) -> bool:
    """Whether every image was trained as often as it was to be, and the model is there."""
    progress = job.progress
    return job.state == pb.SUCCEEDED and progress.images_trained == progress.images_total > 0
