"""A part of a picture that may hold a digit: all of it, the inside of a frame, or a sheet on a table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Contrast = NDArray[np.floating]
"""(H, W): 0 on the background, positive on ink, as a share of the range from black to white."""


@dataclass(frozen=True)
class Box:
    """Rows top ≤ y < bottom, columns left ≤ x < right."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def height(self) -> int:
        """In pixels."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """In pixels."""
        return self.right - self.left

    @property
    def max_side(self) -> int:
        """In pixels."""
        return max(self.height, self.width)

    def moved(self, down: float, across: float, scale: float) -> Box:
        """The same place in a picture of which this one is a part, `scale` times as coarse."""
        places = (
            self.top * scale + down,
            self.left * scale + across,
            self.bottom * scale + down,
            self.right * scale + across,
        )
        return Box(*(round(place) for place in places))

    def widened(self, margin: int, height: int, width: int) -> Box:
        """The box with a margin around it, inside a picture of that size."""
        return Box(
            max(0, self.top - margin),
            max(0, self.left - margin),
            min(height, self.bottom + margin),
            min(width, self.right + margin),
        )


@dataclass(frozen=True)
class Region:
    """`gray` (H, W) uint8, 0 black to 255 white.

    `down` and `across` are its place in the picture and `scale` the size of its pixels, in the picture's.
    """

    gray: Gray
    down: float = 0.0
    across: float = 0.0
    scale: float = 1.0

    def place(self, box: Box) -> Box:
        """A box of this region as a box of the picture."""
        return box.moved(self.down, self.across, self.scale)

    def within(self, box: Box) -> tuple[float, float, float, float]:
        """A box of the picture as places in this region."""
        return (
            (box.top - self.down) / self.scale,
            (box.left - self.across) / self.scale,
            (box.bottom - self.down) / self.scale,
            (box.right - self.across) / self.scale,
        )
