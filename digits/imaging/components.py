"""Connected components of ink, and which of them together may be the digit."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from digits.imaging.region import Box, Mask

# A digit's parts may be apart (the bar of a 5), yet each is a good part of the largest.
_MIN_SHARE_OF_LARGEST = 0.08
# Smaller than this share of the picture's longer side, it is dirt.
_MIN_SHARE_OF_PICTURE = 0.03
# Parts of one digit are closer to each other than this share of its size.
_NEAR = 0.25
# A mark as tall as that share of the tallest may be a character of its own.
_MIN_CHARACTER_SHARE = 0.45


@dataclass(frozen=True)
class Components:
    """`labels` (H, W) int32, 0 for no ink; of each component its box and area, and if it is at the edge.

    Boxes are (N, 4): top, left, bottom, right. The first component is what is no ink, of area 0.
    """

    labels: NDArray[np.int32]
    boxes: NDArray[np.int32]
    areas: NDArray[np.int32]
    at_edge: Mask

    @classmethod
    def of(cls, mask: NDArray[np.uint8]) -> Components:
        """Finds the 8-connected components of a mask, (H, W), not 0 for ink."""
        # The same as by default, in half the time.
        _, labels, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(
            mask, connectivity=8, ltype=cv2.CV_32S, ccltype=cv2.CCL_GRANA
        )
        left, top, width, height, area = stats.T
        boxes = np.stack([top, left, top + height, left + width], axis=1)
        high, wide = mask.shape
        at_edge = (top == 0) | (left == 0) | (top + height == high) | (left + width == wide)
        areas = area.copy()
        areas[0] = 0
        at_edge[0] = True
        return cls(np.asarray(labels, np.int32), boxes, areas, at_edge)


@dataclass(frozen=True)
class Group:
    """Components that may be the digit: their ink, (H, W) bool, its box, and how likely it is, in nats.

    `characters` counts the marks of a character's size in all of the picture; `alone` says that this is one
    of several.
    """

    mask: Mask
    box: Box
    prior: float
    characters: int = 1
    alone: bool = False


def groups(components: Components, *, cut: bool, uneven: bool = False) -> list[Group]:
    """The choices that are worth a look, the likeliest first; none if all are specks.

    What touches the edge is the digit's if the picture is `cut` at its ink; otherwise it is likelier a
    table's, and under `uneven` light always a shadow's.
    """
    areas, free = components.areas, components.areas * ~components.at_edge
    found: dict[tuple[int, ...], Group] = {}
    for candidates, prior in ((free, -0.5 if cut else 0.0), (areas, 0.0 if cut else -1.5)):
        repeats = candidates is areas and (uneven or not components.at_edge[1:].any())
        if candidates.any() and not repeats:
            kept = np.flatnonzero(candidates >= max(1.0, candidates.max() * _MIN_SHARE_OF_LARGEST))
            tall = _characters(components, kept)
            choices = [(kept, prior), (_near_largest(components, kept), prior - 0.1)]
            choices += [(tall[at : at + 1], prior - 0.7) for at in range(min(3, len(tall)))]
            for chosen, cost in choices:
                key = tuple(np.sort(chosen).tolist())
                if key in found:
                    continue
                alone = not set(tall.tolist()) <= set(key)
                if group := _group(components, chosen, cost, len(tall), alone=alone):
                    found[key] = group
    return sorted(found.values(), key=lambda group: -group.prior)


def _characters(components: Components, kept: NDArray[np.int64]) -> NDArray[np.int64]:
    """The components that are large enough to be digits of their own, the largest first."""
    heights = components.boxes[kept, 2] - components.boxes[kept, 0]
    tall = kept[heights >= _MIN_CHARACTER_SHARE * heights.max()]
    return np.asarray(tall[np.argsort(-components.areas[tall])], np.int64)


def _near_largest(components: Components, kept: NDArray[np.int64]) -> NDArray[np.int64]:
    """The largest component and what is close to it, or to what is close to it."""
    if len(kept) == 1:
        return kept
    boxes = components.boxes[kept].astype(np.float64)
    largest = int(np.argmax(components.areas[kept]))
    reach = _NEAR * max(boxes[largest, 2] - boxes[largest, 0], boxes[largest, 3] - boxes[largest, 1])
    chosen = np.zeros(len(kept), bool)
    chosen[largest] = True
    for _ in range(2):
        inner = boxes[chosen]
        gap_y = np.maximum(inner[:, None, 0] - boxes[None, :, 2], boxes[None, :, 0] - inner[:, None, 2])
        gap_x = np.maximum(inner[:, None, 1] - boxes[None, :, 3], boxes[None, :, 1] - inner[:, None, 3])
        chosen |= (np.maximum(gap_y, gap_x) <= reach).any(axis=0)
    return kept[chosen]


def _group(
    components: Components, kept: NDArray[np.int64], prior: float, characters: int, *, alone: bool
) -> Group | None:
    """The components as one group; None if it is no more than a speck."""
    boxes = components.boxes[kept]
    box = Box(*(int(place) for place in (*boxes[:, :2].min(axis=0), *boxes[:, 2:].max(axis=0))))
    # Smoothing has widened it by a pixel on each side.
    if box.max_side - 2 < max(2.0, _MIN_SHARE_OF_PICTURE * max(components.labels.shape)):
        return None
    return Group(_mask(components, kept), box, prior, characters, alone)


def _mask(components: Components, kept: NDArray[np.int64]) -> Mask:
    if len(kept) == 1:
        return np.asarray(components.labels == kept[0], bool)
    chosen = np.zeros(len(components.areas), bool)
    chosen[kept] = True
    return chosen[components.labels]
