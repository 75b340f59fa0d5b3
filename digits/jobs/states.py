"""The states of a job, and where in the coordinator its nodes are."""

from __future__ import annotations

import hashlib

from digits import clock
from digits.final_states import FINAL
from digits.v1 import training_pb2 as pb


def is_final(job: pb.Job) -> bool:
    """Whether nothing will happen to the job any more."""
    return job.state in FINAL


def job_path(job_id: str) -> str:
    """The coordinator's path of a job's record."""
    return f"/jobs/{job_id}"


def lease_path(job_id: str) -> str:
    """The coordinator's path of the node that says who runs a job."""
    return f"{job_path(job_id)}/lease"


def request_path(spec: pb.TrainSpec) -> str:
    """The coordinator's path of the node that names the job of a caller's request_id."""
    key = hashlib.sha256(spec.caller.encode() + b"\0" + spec.request_id.encode())
    return f"/requests/{key.hexdigest()}"


def advance(job: pb.Job, state: pb.JobState) -> None:
    """Moves a job, and the progress that callers see, to a state."""
    job.state = state
    job.progress.state = state
    if state != pb.TRAINING:
        # Estimated by the micro-batches that are being trained.
        job.progress.ClearField("eta")
    if state in FINAL:
        job.end_time.CopyFrom(clock.now())
        _sum_up(job.progress)


def _sum_up(progress: pb.TrainProgress) -> None:
    """The last micro-batch's pace says little of a training, least if it was a small rest."""
    if progress.training_seconds:
        progress.images_per_second = progress.images_trained / progress.training_seconds
