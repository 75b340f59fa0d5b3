"""What a job's record says, as names and values for people."""

from __future__ import annotations

from google.protobuf.timestamp_pb2 import Timestamp

from digits.v1 import training_pb2 as pb


def partitions(job: pb.Job) -> str:
    """How many partitions the job's log has, why, and by whom it is filled; empty before that was decided."""
    if not job.log_partition_count:
        return ""
    by = "filled by Spark's tasks" if job.blocks_by_shard else ""
    why = "; ".join(filter(None, (job.partition_decision.reason, by)))
    return ": ".join(filter(None, (str(job.log_partition_count), why)))


def facts(job: pb.Job) -> dict[str, str]:
    """What was asked for and how far it went, by name; what is not known is left out."""
    spec, progress = job.spec, job.progress
    images = f"{progress.images_trained:,} of {progress.images_total:,}" if progress.images_total else ""
    found = {
        "Batch": spec.images_batch_path or ("a model" if spec.is_model else "an upload"),
        "Recipe": spec.recipe,
        "Went on from": spec.base_model_version,
        "Seed": str(spec.seed),
        "May serve": pb.Promotion.Name(spec.promotion or pb.IF_BETTER),
        "Asked for by": spec.caller,
        "Accepted": _time(job, "create_time"),
        "Begun": _time(job, "start_time"),
        "Ended": _time(job, "end_time"),
        "Images trained": images,
        "Images a second": f"{progress.images_per_second:,.0f}" if progress.images_per_second else "",
        "Epochs": f"{progress.epoch} of {progress.epochs}" if progress.epochs else "",
        "Micro-batches": str(progress.micro_batch or ""),
        "Partitions": partitions(job),
        "Attempts since it last got further": str(job.attempt_count or ""),
        "Last problem": job.last_problem,
    }
    return _given(found)


def findings(job: pb.Job) -> dict[str, str]:
    """How the model did, and what the gate made of it, by name; nothing before it was evaluated."""
    progress, metrics = job.progress, job.progress.metrics
    if not progress.HasField("metrics"):
        return {}
    judged = metrics.reference_image_count
    found = {
        "Version": progress.model_version,
        "The gate": "it was made the serving one" if progress.promoted else "it does not serve by this job",
        "Why": progress.promotion_reason,
        "Held-out images": f"{metrics.accuracy:.2%} of {metrics.held_out_image_count:,}",
        "By chance": f"{metrics.chance_accuracy:.2%}" if metrics.chance_accuracy else "",
        "Loss on them": f"{metrics.loss:.4f} nats",
        "Reference set": f"{metrics.reference_accuracy:.2%} of {judged:,}" if judged else "",
        "Redrawn pictures of it": f"{metrics.robustness:.2%}" if judged else "",
        "Suspicion": metrics.suspicion,
    }
    return _given(found)


def _time(job: pb.Job, name: str) -> str:
    """A time of the job in UTC, to the second; empty if it has not come."""
    if not job.HasField(name):
        return ""
    stamp: Timestamp = getattr(job, name)
    return stamp.ToDatetime().isoformat(" ", "seconds") + " UTC"


def _given(found: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in found.items() if value}
