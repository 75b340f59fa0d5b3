"""Pixels that cannot be a picture are refused, with what a picture has."""

from __future__ import annotations

import numpy as np
import pytest

from digits.errors import InvalidInput
from digits.imaging.raw_pixels import require_pictures
from tests.plain_pixels import SOME_PIXELS

INK = np.frombuffer(SOME_PIXELS, np.uint8)


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        (INK * 0, "are all 0;"),
        (INK * 0 + 255, "are all 255;"),
        ((INK > 9).astype(np.uint8), "hold nothing but 0 and 1;"),
    ],
)
def test_one_of_many_pictures_that_cannot_be_one_is_refused(wrong: np.ndarray, found: str) -> None:
    with pytest.raises(InvalidInput, match=f"^pixels: {found} a picture has 0 for paper to 255 for ink"):
        require_pictures(np.stack([INK, wrong, INK]), "pixels")


def test_a_faint_picture_is_one() -> None:
    require_pictures(np.stack([INK, INK // 90]), "pixels")
