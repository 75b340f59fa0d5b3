"""Pixels that cannot be a picture are refused, with what a pixel is."""

from __future__ import annotations

import numpy as np
import pytest

from digits.errors import InvalidInput
from digits.imaging.raw_pixels import from_pixels
from digits.pixels import check_ink
from tests.stroke import STROKE

INK = np.frombuffer(STROKE, np.uint8)


@pytest.mark.parametrize(
    ("pixels", "found"),
    [
        (bytes(784), "holds nothing but 0;"),
        (b"\xff" * 784, "holds nothing but 255;"),
        ((INK > 0).astype(np.uint8).tobytes(), "holds nothing but 0 and 1;"),
    ],
)
def test_pixels_of_one_value_or_of_0_and_1_are_refused(pixels: bytes, found: str) -> None:
    with pytest.raises(InvalidInput, match=f"^pixels: {found} a pixel is 0 for paper to 255 for ink"):
        from_pixels(pixels, "pixels")


def test_of_many_pictures_the_first_wrong_one_is_named() -> None:
    with pytest.raises(InvalidInput, match="picture 2 holds nothing but 0"):
        check_ink(np.stack([INK, INK, INK * 0]), "raw_input_contents")


def test_a_faint_stroke_is_a_picture() -> None:
    check_ink(np.stack([INK, INK // 100]), "pixels")
