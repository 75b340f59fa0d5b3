"""Runs one worker: `python -m workers classify` or `python -m workers train`."""

from __future__ import annotations

import os
import socket
import sys
from typing import Protocol

from celery import Celery, signals

from digits.adapters.celery_queue import app_of
from digits.errors import Misconfigured
from digits.settings import Settings
from digits.signals import exposition, logs, traces


class Worker(Protocol):
    """What runs behind one of the queues."""

    def start(self, app: Celery) -> None:
        """Gets ready and registers its task."""

    def shut_down(self) -> None:
        """Hears that the process was asked to stop; the running task is waited for."""

    def stop(self) -> None:
        """Leaves."""


def make_worker(role: str, settings: Settings) -> Worker:
    """Builds a role's worker; only the train worker's imports need TensorFlow and Spark."""
    if role == "train":
        from workers.train import TrainWorker  # noqa: PLC0415

        return TrainWorker(settings)
    from workers.classify import ClassifyWorker  # noqa: PLC0415

    return ClassifyWorker(settings)


# A long task on the solo pool would keep the worker from answering its broker; a short one is fastest there.
POOLS = {"train": "threads", "classify": "solo"}


def main(role: str) -> None:
    """Runs until SIGTERM or SIGINT."""
    settings = Settings()
    logs.configure(settings)
    try:
        exposition.serve(settings)
        traces.configure(settings, f"{role}-worker")
    except Misconfigured as error:
        sys.exit(f"{role} worker: {error}")
    app = app_of(settings)
    worker = make_worker(role, settings)
    signals.worker_shutting_down.connect(lambda **_: worker.shut_down(), weak=False)
    worker.start(app)
    try:
        app.worker_main(_arguments(role))
    finally:
        worker.stop()


def _arguments(role: str) -> list[str]:
    name = f"{role}-{os.getpid()}@{socket.gethostname()}"
    pool = ["--pool", POOLS[role], "--concurrency", "1"]
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "INFO"]
    return ["--quiet", "worker", "--queues", role, "--hostname", name, *pool, *quiet]


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in POOLS:
        sys.exit(f"usage: python -m workers {{{','.join(POOLS)}}}")
    main(sys.argv[1])
