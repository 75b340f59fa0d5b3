"""A train worker without the training: `python -m tests.conformance.leaseholder BROKER_URL COORDINATOR_URL`.

It takes each job's lease as a train worker does and keeps it until the job is cancelled. Its standard output
has a line for each message: `runs JOB` or `leaves JOB`.
"""

from __future__ import annotations

import sys
import time

from digits.adapters.celery_queue import CeleryTrainQueue, make_app, register_train_task
from digits.adapters.zookeeper import ZooKeeperCoordinator
from digits.errors import Cancelled
from digits.jobs.jobs import Jobs
from digits.jobs.leases import Lease
from digits.jobs.states import advance
from digits.v1 import training_pb2


def main(broker_url: str, coordinator_url: str) -> None:
    """Runs until SIGTERM."""
    app = make_app(broker_url)
    coordinator = ZooKeeperCoordinator(coordinator_url, session_seconds=4)
    jobs = Jobs(coordinator, CeleryTrainQueue(app))

    def train(job_id: str) -> None:
        lease = Lease.take(jobs, coordinator, job_id, 3)
        print("runs" if lease else "leaves", job_id, file=sys.__stdout__, flush=True)
        if lease:
            keep(lease)

    register_train_task(app, train)
    app.worker_main(["--quiet", "worker", "--queues", "train", "--pool", "threads", "--concurrency", "1"])


def keep(lease: Lease) -> None:
    """Holds a job until somebody cancels it."""
    try:
        while True:
            lease.edit(lambda job: None)
            time.sleep(0.05)
    except Cancelled:
        lease.end(lambda job: advance(job, training_pb2.CANCELLED))
        lease.release()


if __name__ == "__main__":
    main(*sys.argv[1:])
