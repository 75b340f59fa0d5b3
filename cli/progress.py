"""What there is to say of a training, in words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from digits.v1.training_pb2 import Job, TrainProgress


def summary(progress: TrainProgress) -> str:
    """Where the job is, on one line; parts that are not known yet are left out."""
    left = round(seconds_left(progress))
    eta = [f"eta {left} s"] if left else []
    return "  ".join([f"{state_name(progress):<10}", *figures(progress), *eta]).rstrip()


def seconds_left(progress: TrainProgress) -> float:
    """The estimate of the time left; 0 if there is none, as once the job is final."""
    from digits.final_states import FINAL

    return 0.0 if progress.state in FINAL else progress.eta.ToMilliseconds() / 1000


def figures(progress: TrainProgress) -> list[str]:
    """What is known of how it goes, the most important first."""
    parts = []
    if waiting := progress.jobs_before:
        parts.append(f"{waiting} job{'' if waiting == 1 else 's'} before it")
    if progress.images_total:
        parts.append(f"{progress.images_trained}/{progress.images_total} images")
    if progress.images_per_second:
        parts.append(f"{progress.images_per_second:.0f} img/s")
    if progress.accuracy:
        parts.append(f"accuracy {progress.accuracy:.2%}")
    if progress.micro_batch:
        parts.append(f"loss {progress.loss:.4f}")
    return parts


def state_name(progress: TrainProgress | Job) -> str:
    """The job's state as the contract names it."""
    from digits.v1 import training_pb2

    return training_pb2.JobState.Name(progress.state)


def verdict(progress: TrainProgress) -> str:
    """How a job ended, in one sentence."""
    state = state_name(progress)
    if state == "SUCCEEDED":
        return _judgement(progress)
    if state == "CANCELLED":
        return f"job {progress.job_id} was cancelled"
    return f"job {progress.job_id} failed: {progress.error.message}"


def _judgement(progress: TrainProgress) -> str:
    metrics, read = progress.metrics, []
    # One that was brought in has no images of its own.
    if not metrics.held_out_sha256 or metrics.held_out_sha256 != metrics.reference_sha256:
        count = metrics.held_out_image_count
        images = f"{count:,} held-out image{'' if count == 1 else 's'}"
        read.append(f"{_percent(progress.accuracy)} of its own {images}")
    if metrics.reference_image_count:
        read.append(f"{_percent(metrics.reference_accuracy)} of the reference set")
    serves = "it took over" if progress.promoted else "it does not serve"
    reason = f" ({progress.promotion_reason})" if progress.promotion_reason else ""
    return f"{progress.model_version}: {', '.join(read)}: {serves}{reason}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def print_notes(notes: Iterable[str]) -> None:
    """What was accepted of a batch though it is not as described, a line each."""
    for note in notes:
        print(f"note: {note}", flush=True)
