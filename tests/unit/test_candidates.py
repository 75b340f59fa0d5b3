"""What is proposed as readings of a picture: more than one where one guess would be wrong."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from digits.imaging.candidate import Candidate
from digits.imaging.candidates import candidates
from digits.imaging.components import Components, groups
from digits.imaging.lines import without_lines
from digits.imaging.region import Region
from digits.imaging.sheets import inner_regions
from tests.unit.pictures import Grey, drawn, encoded, enlarged, on_paper, original
from tests.unit.test_images import likeness

LIMIT = 5_000_000


def readings(image: Grey) -> list[Candidate]:
    return candidates(encoded(image), LIMIT, "image")


def best(image: Grey, digit: int) -> float:
    """How like the digit the reading is that is most like it."""
    return max(likeness(one.pixels, original(digit)) for one in readings(image))


def tight(digit: int) -> Grey:
    ink = drawn(digit)
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("negative", [False, True])
def test_a_digit_that_is_cut_at_its_ink_is_among_the_readings(digit: int, negative: bool) -> None:
    ink = tight(digit)
    assert best(255 - ink if negative else ink, digit) > 0.85


@pytest.mark.parametrize("digit", [0, 2, 5, 8])
def test_a_digit_on_a_sheet_on_a_dark_desk_is_among_the_readings(digit: int) -> None:
    desk = np.full((600, 800), 60, np.uint8)
    desk[120:480, 250:520] = on_paper(enlarged(original(digit), 180), (270, 360), (40, 80))
    assert best(desk, digit) > 0.85


@pytest.mark.parametrize("digit", [0, 3, 6, 7])
def test_a_digit_in_a_printed_box_is_among_the_readings(digit: int) -> None:
    sheet = on_paper(enlarged(original(digit), 160), (300, 300), (70, 70))
    cv2.rectangle(sheet, (20, 20), (280, 280), 40, 4)
    assert best(sheet, digit) > 0.85


@pytest.mark.parametrize("digit", [2, 3, 5, 8])
def test_a_digit_on_ruled_paper_is_among_the_readings(digit: int) -> None:
    sheet = on_paper(enlarged(original(digit), 260), (500, 400), (120, 70))
    for row in range(30, 400, 60):
        sheet[row : row + 2] = 60
    assert best(sheet, digit) > 0.75


def test_a_reading_says_where_in_the_picture_it_is() -> None:
    sheet = on_paper(enlarged(original(4), 280), (1200, 900), (700, 300))
    box = readings(sheet)[0].box
    ink = np.argwhere(sheet < 128)
    (top, left), (bottom, right) = ink.min(axis=0), ink.max(axis=0) + 1
    found, true = (box.top, box.left, box.bottom, box.right), (top, left, bottom, right)
    assert np.abs(np.subtract(found, true)).max() <= 16


def test_a_picture_that_is_framed_as_mnist_has_one_reading() -> None:
    assert len(readings(original(7))) == 1


def test_two_digits_are_told_by_the_marks_beside_each_other() -> None:
    both = np.hstack([enlarged(original(3), 200), enlarged(original(5), 200)])
    found = readings(on_paper(both, (500, 300), (40, 40)))
    assert {one.characters for one in found} == {2}
    assert sum(one.alone for one in found) >= 2


def test_long_lines_are_removed_and_the_stroke_that_they_cross_stays_whole() -> None:
    mask = np.zeros((160, 160), np.uint8)
    mask[30:130, 75:87] = 255
    stroke = mask.copy()
    mask[[50, 51, 90, 91]] = 255
    clean = without_lines(mask)
    assert clean is not None
    assert not clean[:, :65].any()
    assert not clean[:, 97:].any()
    assert (clean[stroke > 0] > 0).mean() > 0.97
    assert Components.of(clean).areas[1:].size == 1


def test_a_mask_without_long_lines_is_left_alone() -> None:
    assert without_lines(np.where(enlarged(original(8), 160) > 127, 255, 0).astype(np.uint8)) is None


def test_the_inside_of_a_frame_is_a_region_without_the_frame() -> None:
    gray = np.full((160, 160), 230, np.uint8)
    cv2.rectangle(gray, (30, 30), (130, 130), 20, 3)
    region = inner_regions(Region(gray), Region(gray))[0]
    assert region.gray.min() > 200
    assert abs(region.down - 30) <= 3


def test_a_block_letter_is_no_sheet() -> None:
    gray = np.full((160, 160), 230, np.uint8)
    gray[40:120, 40:60] = gray[40:120, 100:120] = gray[40:60, 40:120] = 20
    assert inner_regions(Region(gray), Region(gray)) == []


def test_marks_at_the_edge_are_no_digit_under_uneven_light() -> None:
    mask = np.zeros((100, 100), np.uint8)
    mask[60:, 40:60] = 255
    marks = Components.of(mask)
    assert groups(marks, cut=True)
    assert groups(marks, cut=False)
    assert groups(marks, cut=False, uneven=True) == []


def test_a_speck_is_no_mark() -> None:
    mask = np.zeros((160, 160), np.uint8)
    mask[80:84, 80:84] = 255
    assert groups(Components.of(mask), cut=False) == []
