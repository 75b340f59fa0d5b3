"""Faults that were once in the code, or nearly were, put back: each must be found by a schedule.

`python -m tests.simulation.planted` prints the shrunk schedule that finds each.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace

import pytest

from digits.datasets.dataset import Dataset
from digits.jobs.jobs import Jobs
from digits.jobs.leases import Lease
from digits.offsets import OffsetRanges
from digits.ports import Create, Operation
from digits.training import blocks
from digits.training.recipes import Recipe
from digits.v1 import artifacts_pb2
from digits.v1 import training_pb2 as pb
from spark_jobs import log_cut
from spark_jobs.log_cut import Cut
from spark_jobs.training_context import TrainingContext
from spark_jobs.training_state import TrainingState
from tests.simulation.ports import SimCoordinator

Plant = Callable[[pytest.MonkeyPatch], None]


def resumes_from_the_start_of_the_epoch(patches: pytest.MonkeyPatch) -> None:
    """The checkpoint's offsets are not left out: foreachBatch alone is at-least-once."""
    read = TrainingState.from_proto

    def forgetful(checkpoint: artifacts_pb2.Checkpoint) -> TrainingState:
        return replace(read(checkpoint), trained=OffsetRanges())

    patches.setattr(TrainingState, "from_proto", forgetful)


def every_trainer_counts_its_own_cores(patches: pytest.MonkeyPatch) -> None:
    """A log that is made again has as many partitions as its trainer has cores."""

    def count(context: TrainingContext, lease: Lease, recipe: Recipe, seed: int, dataset: Dataset) -> Cut:
        cores = int(context.spark.sparkContext.defaultParallelism)
        return Cut(cores, blocks.images_per_block(dataset.train_count), None)

    patches.setattr(log_cut, "decided", count)


def leases_do_not_fence(patches: pytest.MonkeyPatch) -> None:
    """Who lost its lease writes on."""

    def sign(lease: Lease, job: pb.Job) -> None:
        job.lease_id = lease.number

    patches.setattr(Lease, "_sign", sign)
    patches.setattr(Lease, "check", lambda lease: None)


def request_ids_are_looked_up_only(patches: pytest.MonkeyPatch) -> None:
    """The id's node is no part of the commit that records the job."""
    add = Jobs.add

    def without_id(jobs: Jobs, job: pb.Job) -> None:
        bare = pb.Job()
        bare.CopyFrom(job)
        bare.spec.request_id = ""
        add(jobs, bare)
        jobs.edit(job.job_id, lambda written: written.CopyFrom(job))

    patches.setattr(Jobs, "add", without_id)


def messages_are_never_sent_again(patches: pytest.MonkeyPatch) -> None:
    """The queue is believed."""
    patches.setattr("digits.jobs.reconciler._is_overdue", lambda job, waited, idle_seconds: False)


def a_version_and_its_jobs_end_are_two_commits(patches: pytest.MonkeyPatch) -> None:
    """A trainer that is killed between the two publishes again."""
    commit = SimCoordinator.commit

    def one_by_one(coordinator: SimCoordinator, *operations: Operation) -> None:
        if any(isinstance(each, Create) and each.path.startswith("/models/") for each in operations):
            for each in operations:
                commit(coordinator, each)
        else:
            commit(coordinator, *operations)

    patches.setattr(SimCoordinator, "commit", one_by_one)


def a_query_goes_on_after_a_slow_partition(patches: pytest.MonkeyPatch) -> None:
    """What the partition left never comes again."""
    patches.setattr("spark_jobs.micro_batches._were_cut_off", lambda results: False)


PLANTED: tuple[Plant, ...] = (
    resumes_from_the_start_of_the_epoch,
    every_trainer_counts_its_own_cores,
    leases_do_not_fence,
    request_ids_are_looked_up_only,
    a_version_and_its_jobs_end_are_two_commits,
    messages_are_never_sent_again,
    a_query_goes_on_after_a_slow_partition,
)


if __name__ == "__main__":
    from tests.simulation.search import search

    for plant in PLANTED:
        print(f"\n{plant.__name__}: {plant.__doc__}", file=sys.stderr)
        with pytest.MonkeyPatch.context() as patches:
            plant(patches)
            try:
                search(600, first_seed=1)
            except BaseException as found:
                print(f"{type(found).__name__}: {found}\n{chr(10).join(found.__notes__)}", file=sys.stderr)
