"""The gate: whether a trained network is one at all, and whether it may serve. Pure functions of metrics."""

from __future__ import annotations

import math
from dataclasses import dataclass

from digits.errors import NotLearned
from digits.settings import Settings
from digits.v1 import models_pb2, training_pb2

# Two standard deviations: chance gets as far once in forty trainings.
_DEVIATIONS = 2.0
# Shares of the way from chance to perfect. A network must have gone the first; one that ended at 13 % had
# gone 3 %. One that has gone the second is believed, however few images there are to tell by.
_MIN_SKILL, _MAX_SKILL = 0.1, 0.5


@dataclass(frozen=True)
class Limits:
    """How much of the reference set a model has to read.

    `max_reference_loss_points` is by how many points of a hundred it may be worse than what serves;
    `min_reference_accuracy`, 0 to 1, holds if nothing serves.
    """

    max_reference_loss_points: float
    min_reference_accuracy: float

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """The service's own."""
        return cls(settings.max_reference_loss_points, settings.min_reference_accuracy)


@dataclass(frozen=True)
class Decision:
    """Whether a model serves from now on, and why or why not, for a person to read."""

    promoted: bool
    reason: str


def check_learned(metrics: models_pb2.Metrics) -> None:
    """Raises NotLearned if a network's answers have nothing to do with the held-out images."""
    chance, count = metrics.chance_accuracy, metrics.held_out_image_count
    if not chance:
        return
    deviation = math.sqrt(chance * (1 - chance) / count)
    skill = min(max(_DEVIATIONS * deviation, _MIN_SKILL * (1 - chance)), _MAX_SKILL * (1 - chance))
    if metrics.accuracy < chance + skill:
        raise NotLearned(
            f"nothing was learned: {metrics.accuracy:.1%} of {count:,} held-out images are right, and "
            f"{chance:.1%} would be by chance; check that each label belongs to its picture, "
            "or train on more images"
        )


def decide(
    promotion: training_pb2.Promotion,
    candidate: models_pb2.Metrics,
    serving: models_pb2.Model | None,
    limits: Limits,
    remark: str = "",
    *,
    best: models_pb2.Model | None = None,
    way_out: str = "",
) -> Decision:
    """Whether a candidate serves: it is no worse on the held-out images, nor clearly on the reference set.

    `serving` is what serves, with metrics of the same images as the candidate's; None if nothing usable does.
    `best` reads the reference set best of what the gate had serve since somebody chose by hand: small losses,
    each judged by a few images, must not add up.
    `remark` is what a reader should know of the reference set, if anything; `way_out` what may help one that
    does not serve.
    """
    if promotion in (training_pb2.ALWAYS, training_pb2.NEVER):
        name = training_pb2.Promotion.Name(promotion)
        return Decision(promotion == training_pb2.ALWAYS, f"the caller said {name}")
    decision = _judged(candidate, serving, best or serving, limits)
    said = (decision.reason, remark, "" if decision.promoted else way_out)
    return Decision(decision.promoted, "; ".join(filter(None, said)))


def _judged(
    candidate: models_pb2.Metrics,
    serving: models_pb2.Model | None,
    best: models_pb2.Model | None,
    limits: Limits,
) -> Decision:
    if serving is None or best is None:
        fault, reason = _against_floor(candidate, limits), "nothing else serves"
    else:
        fault, reason = _against(candidate, serving, best, limits), _compared(candidate, serving)
    if fault:
        return Decision(False, f"{candidate.suspicion}: {fault}" if candidate.suspicion else fault)
    return Decision(True, reason)


def _against_floor(candidate: models_pb2.Metrics, limits: Limits) -> str:
    found, wanted = candidate.reference_accuracy, limits.min_reference_accuracy
    if candidate.reference_sha256 and found < wanted:
        return f"below the {wanted:.1%} of the reference set that a first model needs"
    return ""


def _against(
    candidate: models_pb2.Metrics, serving: models_pb2.Model, best: models_pb2.Model, limits: Limits
) -> str:
    """What keeps a candidate from taking over; empty if nothing does."""
    points = _points_worse(candidate, best)
    # Shares of whole images, as floats: half a point of 1,000 images is not to fail by its last bit.
    if points > limits.max_reference_loss_points + 1e-9:
        return (
            f"{points:.2f} points worse than {best.version} on the reference set, "
            f"where {limits.max_reference_loss_points:g} are allowed"
        )
    if candidate.accuracy < serving.metrics.accuracy:
        images = f"the same {candidate.held_out_image_count:,} held-out images"
        return f"{serving.version} reads {serving.metrics.accuracy:.2%} of {images}"
    return ""


def _compared(candidate: models_pb2.Metrics, serving: models_pb2.Model) -> str:
    said = f"at least as good as {serving.version}"
    points = _points_worse(candidate, serving)
    if points < 0.005:
        return said
    return f"{said} on the held-out images, {points:.2f} points worse on the reference set"


def _points_worse(candidate: models_pb2.Metrics, other: models_pb2.Model) -> float:
    """On the reference set, in points of a hundred; 0 without one."""
    if not candidate.reference_sha256:
        return 0.0
    return 100 * (other.metrics.reference_accuracy - candidate.reference_accuracy)
