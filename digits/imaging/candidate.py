"""One reading of a picture."""

from __future__ import annotations

from dataclasses import dataclass

from digits.imaging.region import Box
from digits.pixels import Pixels


@dataclass(frozen=True)
class Candidate:
    """`pixels` (28, 28) uint8, 0 background to 255 ink, from a box of the picture.

    `prior` says how likely this reading is before the network sees it, in nats; `contrast` is its ink's, 0
    to 1. `characters` counts the marks of a character's size in all of the picture; `alone` says that this is
    one of several.
    """

    pixels: Pixels
    box: Box
    prior: float
    contrast: float = 1.0
    characters: int = 1
    alone: bool = False
