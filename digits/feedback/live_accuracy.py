"""How right a version is by what people said of its answers, and whether it is worse than another."""

from __future__ import annotations

import math
from collections.abc import Iterable

from digits.v1 import feedback_pb2, models_pb2

# Standard deviations: two-sided 95 %, one-sided 99 %.
_SHOWN, _SURE = 1.96, 2.326


def live_accuracies(images: Iterable[feedback_pb2.LabelledImage]) -> dict[str, models_pb2.LiveAccuracy]:
    """Of each version's answers that were labelled, how many were right, with the 95 % interval."""
    right: dict[str, list[bool]] = {}
    for image in images:
        right.setdefault(image.model_version, []).append(image.label == image.digit)
    return {version: live_accuracy(sum(each), len(each)) for version, each in right.items()}


def live_accuracy(right: int, total: int) -> models_pb2.LiveAccuracy:
    """So many right of so many."""
    low, high = wilson(right, total, _SHOWN)
    return models_pb2.LiveAccuracy(label_count=total, right_count=right, low=low, high=high)


def wilson(right: int, total: int, deviations: float) -> tuple[float, float]:
    """The score interval of a share (Wilson 1927): ends from 0 to 1, and all of that for nothing."""
    if not total:
        return 0.0, 1.0
    share, squared = right / total, deviations**2
    centre = (share + squared / (2 * total)) / (1 + squared / total)
    spread = math.sqrt(share * (1 - share) / total + squared / (4 * total**2))
    half = deviations * spread / (1 + squared / total)
    return max(0.0, centre - half), min(1.0, centre + half)


def clearly_worse(serving: models_pb2.LiveAccuracy, before: models_pb2.LiveAccuracy) -> bool:
    """Whether what serves is worse than what served before, with 99 % confidence.

    By the difference's lower end from the two score intervals (Newcombe 1998, method 10).
    """
    if not (serving.label_count and before.label_count):
        return False
    now, then = (each.right_count / each.label_count for each in (serving, before))
    _, now_high = wilson(serving.right_count, serving.label_count, _SURE)
    then_low, _ = wilson(before.right_count, before.label_count, _SURE)
    return then - now > math.hypot(then - then_low, now_high - now)
