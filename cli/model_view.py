"""What there is to say of a version, and of a move of the serving alias: in a row, or in full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.output import time_text

if TYPE_CHECKING:
    from digits.v1.models_pb2 import LiveAccuracy, Model, ServingChange

COLUMNS = (
    "",
    "VERSION",
    "ACCURACY",
    "HELD OUT",
    "REFERENCE",
    "REDRAWN",
    "LIVE",
    "RECIPE",
    "DATA",
    "FROM",
    "KB",
    "CREATED",
)
SPARE = ("KB", "HELD OUT", "CREATED", "REDRAWN", "RECIPE", "DATA", "FROM", "LIVE")
CHANGE_COLUMNS = ("WHEN", "FROM", "TO", "WHY", "WHO", "WHERE")
CHANGE_SPARE = ("WHERE", "FROM", "WHO")


def row(model: Model) -> tuple[object, ...]:
    """A version, for COLUMNS."""
    from digits.v1 import models_pb2

    metrics, origin = model.metrics, model.provenance
    return (
        "*" if model.state == models_pb2.Model.SERVING else "",
        model.version,
        f"{metrics.accuracy:.2%}",
        metrics.held_out_image_count,
        f"{metrics.reference_accuracy:.2%}" if metrics.reference_image_count else "",
        f"{metrics.robustness:.2%}" if metrics.reference_image_count else "",
        _live_share(model.live_accuracy),
        origin.recipe,
        origin.data_name,
        "import" if origin.imported else origin.base_model_version,
        model.bundle_bytes // 1000,
        time_text(model.create_time),
    )


def change_row(change: ServingChange) -> tuple[object, ...]:
    """A move, for CHANGE_COLUMNS."""
    return (
        time_text(change.change_time),
        change.previous_version or "-",
        change.version,
        change.Reason.Name(change.reason).lower(),
        change.caller,
        change.origin or "-",
    )


def fields(model: Model) -> dict[str, object]:
    """All of it by name; what is not known is empty."""
    metrics, origin = model.metrics, model.provenance
    serves = model.state == model.SERVING
    judged = metrics.reference_image_count
    return {
        "version": model.version,
        "serves": "now" if serves else "served before" if model.served else "no",
        "the gate said": model.promotion_reason,
        # Of a version that was brought in, the reference set is all that it can be measured on.
        "held out": ""
        if origin.imported
        else f"{metrics.accuracy:.2%} of {metrics.held_out_image_count:,} images",
        "reference": f"{metrics.reference_accuracy:.2%} of {judged:,} images" if judged else "",
        "redrawn": f"{metrics.robustness:.2%}" if judged else "",
        "live": _live(model.live_accuracy),
        "loss": f"{metrics.loss:.4f} nats",
        "suspicion": metrics.suspicion,
        "recipe": origin.recipe,
        "went on from": origin.base_model_version,
        "brought in": "what follows of its training is what its file says" if origin.imported else "",
        "data": f"{origin.data_name} ({origin.image_count:,} images, SHA-256 {origin.data_sha256[:12]}…)",
        "epochs": origin.epochs,
        "seed": origin.seed,
        "trained in": f"{origin.training_seconds:.1f} s",
        "job": origin.job_id,
        "code": origin.code_version,
        "bundle": f"{model.store_path} ({model.bundle_bytes:,} bytes, SHA-256 {model.bundle_sha256[:12]}…)",
        "created": time_text(model.create_time),
        "kept": "whatever its age" if model.pinned else "",
    }


def _live_share(live: LiveAccuracy) -> str:
    return f"{live.right_count} of {live.label_count}" if live.label_count else ""


def _live(live: LiveAccuracy) -> str:
    if not live.label_count:
        return ""
    interval = f"{live.low:.0%} to {live.high:.0%} with 95 % confidence"
    return f"{_live_share(live)} labelled answers right ({interval})"
