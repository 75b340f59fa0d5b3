"""A job's course, kept in its record: what its micro-batches were like, and who went on from which of them.

It is bounded, since the record is written four times a second and read with every job.
"""

from __future__ import annotations

from dataclasses import dataclass

from digits import clock
from digits.v1 import training_pb2 as pb

# At 70 bytes each, 14 KB: as fine as a chart of a page's width can show.
MAX_POINTS = 200
MAX_RESUMPTIONS = 50


@dataclass(frozen=True)
class Took:
    """How long a micro-batch took, and of that the merge of its partitions and the commit, in seconds."""

    seconds: float
    merge_seconds: float
    commit_seconds: float


def note_micro_batch(job: pb.Job, took: Took) -> None:
    """Adds the micro-batch that the job's progress tells of.

    Of more than MAX_POINTS each second one is kept, then each fourth, and so on; the newest always is.
    """
    progress = job.progress
    point = pb.MicroBatchPoint(
        micro_batch=progress.micro_batch,
        elapsed_seconds=_elapsed_seconds(job),
        epoch=progress.epoch,
        images_trained=progress.images_trained,
        loss=progress.loss,
        accuracy=progress.accuracy,
        images_per_second=progress.images_per_second,
        backlog_images=progress.backlog_images,
        window_images=progress.window_images,
        seconds=took.seconds,
        merge_seconds=took.merge_seconds,
        commit_seconds=took.commit_seconds,
    )
    step = _step(point.micro_batch)
    kept = [each for each in job.history if each.micro_batch < point.micro_batch and _is_on(step, each)]
    if len(kept) < len(job.history):
        del job.history[:]
        job.history.extend(kept)
    job.history.append(point)


def note_resumption(job: pb.Job) -> None:
    """Adds that a trainer goes on from the checkpoint that the job's progress tells of."""
    progress = job.progress
    job.resumptions.add(
        elapsed_seconds=_elapsed_seconds(job),
        micro_batch=progress.micro_batch,
        images_trained=progress.images_trained,
    )
    del job.resumptions[:-MAX_RESUMPTIONS]


def without_course(job: pb.Job) -> pb.Job:
    """The same job, less what a list does not show: some hundred bytes, not some ten thousand."""
    job.ClearField("history")
    job.ClearField("held_out_reading")
    return job


def _step(newest: int) -> int:
    """Of how many micro-batches one is kept, by the newest one's number."""
    step = 1
    while newest > MAX_POINTS * step:
        step *= 2
    return step


def _is_on(step: int, point: pb.MicroBatchPoint) -> bool:
    return (point.micro_batch - 1) % step == 0


def _elapsed_seconds(job: pb.Job) -> float:
    """Since a worker first had the job; never less than before, if this worker's clock is behind."""
    noted = [each[-1].elapsed_seconds for each in (job.history, job.resumptions) if each]
    passed = (clock.now().ToNanoseconds() - job.start_time.ToNanoseconds()) / 1e9
    return max(0.0, passed, *noted)
