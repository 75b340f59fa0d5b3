"""How a file writes ink, decided from a bounded sample, and every chunk of it → 0 paper, 255 ink."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from digits.datasets.arrays import Rows
from digits.datasets.orientation import transposed
from digits.pixels import SIDE, Pixels

# Of MNIST's images none has more than 6 % of its border inked. A border that is mostly bright is white paper;
# noise, a quarter of which is as bright, is left as it is.
_BRIGHT = 0.75
_MOST = 0.6
# So many pictures of the other kind are no accident: a few may fill their frame.
_MIXED_SHARE, _MIXED_COUNT = 0.1, 10
# Of each chunk, so that the check costs a hundredth of the reading.
_LOOKED_AT = 256


@dataclass(frozen=True)
class Ink:
    """What values are multiplied by, whether paper is bright, and whether rows and columns are swapped."""

    scale: int = 1
    inverted: bool = False
    transposed: bool = False

    @classmethod
    def of(cls, sample: Rows, is_transposed: bool, step: int = 1) -> Ink:
        """Decides from (n, 784) values of any type, each `step`-th row of a file from its first.

        Raises ValueError with what was found, a row that has it, and the way out.
        """
        _check_values(sample, 255, 0, step)
        if (sample == sample[:, :1]).all():
            raise ValueError("shows nothing: every picture that was looked at is of one value throughout")
        scale = 255 if sample.max() <= 1 else 1
        white, dark = _papers(sample, scale)
        _check_alike(min(white, dark), len(sample))
        return cls(scale, white > dark, is_transposed)

    def notes(self, sample: Rows) -> list[str]:
        """What is said of pixels that were not as they should be."""
        notes = []
        if self.scale != 1:
            whole = sample.dtype.kind != "f"
            notes.append("only 0 and 1, taken as 0 and 255" if whole else "0 to 1 taken as 0 to 255")
        if self.inverted:
            notes.append("white paper inverted")
        if self.transposed:
            notes.append("rows and columns swapped back")
        return notes

    def pixels(self, values: Rows, first_row: int = 0) -> Pixels:
        """Returns (n, 784) values as pixels; raises ValueError if they are unlike those of the sample.

        `first_row` is where they begin in their file, for the error.
        """
        if values.dtype != np.uint8 or self.scale != 1:
            _check_values(values, 255 // self.scale, first_row)
        looked_at = values[:: 1 + len(values) // _LOOKED_AT]
        white, dark = _papers(looked_at, self.scale)
        _check_alike(dark if self.inverted else white, len(looked_at))
        pixels = values
        if values.dtype != np.uint8 or self.scale != 1:
            pixels = np.rint(values.astype(np.float32) * self.scale).astype(np.uint8)
        pixels = 255 - pixels if self.inverted else pixels
        return transposed(pixels) if self.transposed else pixels


def _check_values(values: Rows, highest: int, first_row: int, step: int = 1) -> None:
    if values.dtype == np.uint8 and highest == 255:
        return
    low, high = values.min(), values.max()
    if np.isfinite(low) and np.isfinite(high) and low >= 0 and high <= highest:
        return
    finite = np.isfinite(values)
    is_finite = bool(finite.all())
    right = (values >= 0) & (values <= highest) if is_finite else finite
    # Perhaps not the first of the file: of many rows some are looked at.
    where = f"as in row {first_row + step * int(np.argmin(right.all(axis=1))):,}"
    if not is_finite:
        raise ValueError(f"holds NaN or infinity, {where}: numpy.nan_to_num(x)")
    if highest == 1:
        raise ValueError(f"holds {low:g} to {high:g}, {where}, though it began with nothing above 1")
    line = 'x = ((x - x.min()) / (x.max() - x.min()) * 255).astype("uint8")'
    raise ValueError(
        f"holds {low:g} to {high:g}, {where}; allowed are 0 for paper to 255 for ink, or 0 to 1: {line}"
    )


def _papers(values: Rows, scale: int) -> tuple[int, int]:
    """How many pictures have white paper, and how many dark; the others have neither."""
    images = values.reshape(-1, SIDE, SIDE)
    border = np.concatenate([images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]], axis=1)
    bright = (border > _BRIGHT * 255 / scale).mean(axis=1)
    dark = (border < (1 - _BRIGHT) * 255 / scale).mean(axis=1)
    return int((bright > _MOST).sum()), int((dark > _MOST).sum())


def _check_alike(others: int, count: int) -> None:
    if others >= _MIXED_COUNT and others > _MIXED_SHARE * count:
        raise ValueError("holds both white and dark paper: invert one kind, 255 - x, so that paper is 0")
