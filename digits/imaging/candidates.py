"""A few readings of one picture, of which the network says which is a digit.

One guess is wrong about a sheet on a desk, a printed box, ruled paper, a digit that is cut at its own box. So
what might be the digit is proposed in several ways, and judge.py takes what the network is surest of.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from digits.errors import InvalidInput
from digits.imaging.background import Reading, readings
from digits.imaging.candidate import Candidate
from digits.imaging.components import Components, groups
from digits.imaging.decode import Picture, mnist_original
from digits.imaging.lines import without_lines
from digits.imaging.normalize import normalized
from digits.imaging.region import Box, Contrast, Gray, Region
from digits.imaging.sheets import inner_regions
from digits.imaging.surface import middle
from digits.pixels import SIDE

# Each picture has one thread; a server decodes several side by side.
cv2.setNumThreads(1)

# Twenty pixels of digit need no more than this, and a thumbnail's strokes no less.
_MAX_SIDE = 160
_MIN_SIDE = 112
# A digit that is smaller at the working size is looked at again.
_SMALL = 80
# Ink in a frame or on a sheet has this share of the strongest contrast anywhere.
_MIN_INNER_CONTRAST = 0.3
# Ink must stand out of the background's grain this many times (a page of noise reaches 5) ...
_NOISE_FACTOR = 7.0
# ... and by this share of the range from black to white.
_MIN_CONTRAST = 0.05
# Where ink begins, as shares of the strongest ink's contrast: the second leaves out pale lines and shadows.
_INK_BEGINS = ((0.15, 0.0), (0.45, -0.3))
_INK_IS_FULL = 0.65
# A second level that leaves this share of the ink shows the same marks.
_SAME_INK = 0.8
# The whole picture comes first, the network decides: nothing else tells a sheet from the hole of an 8.
_INNER_PRIOR = -0.05
_MAX_CANDIDATES = 12


def candidates(data: bytes, max_bytes: int, field: str) -> list[Candidate]:
    """Returns 1 to 12 readings of a picture file, the likeliest first; raises InvalidInput.

    A picture that is framed as MNIST already (28 x 28, or its negative) is its own and only reading.
    """
    return candidates_of(Picture.of(data, max_bytes, field))


def candidates_of(picture: Picture) -> list[Candidate]:
    """The same for a picture whose header was read."""
    region = picture.region()
    original = mnist_original(region.gray)
    if original is not None:
        return [Candidate(original, Box(0, 0, SIDE, SIDE), 0.0)]
    found = _of_picture(region)
    if not found:
        raise InvalidInput(picture.field, "shows nothing but paper; draw a digit on it")
    return found[:_MAX_CANDIDATES]


def _of_picture(picture: Region) -> list[Candidate]:
    sized = _sized(picture)
    found = _of_region(picture, sized, 0.0)
    strongest = max((candidate.contrast for candidate in found), default=0.0)
    for inner in inner_regions(picture, sized):
        # Grain on an empty sheet, or in a thick stroke, is no ink.
        inside = _of_region(inner, _sized(inner), _INNER_PRIOR)
        found += [one for one in inside if one.contrast > _MIN_INNER_CONTRAST * strongest]
    return sorted(_unlike(found), key=lambda candidate: -candidate.prior)


def _of_region(region: Region, sized: Region, prior: float) -> list[Candidate]:
    """Readings of a region at its working size, and of what looks like a small digit there at full size."""
    found = _of_sized(sized, prior)
    if found and (finer := _around(region, found[0].box, sized.scale)):
        found = [replace(one, prior=one.prior - 0.3) for one in found] + _of_sized(_sized(finer), prior)
    return found


def _of_sized(region: Region, prior: float) -> list[Candidate]:
    found: list[Candidate] = []
    for reading in readings(region.gray):
        found += _of_reading(region, reading, prior + reading.prior)
    return sorted(found, key=lambda candidate: -candidate.prior)


def _around(region: Region, box: Box, scale: float) -> Region | None:
    """The region cut around a small digit, if more can be seen of it there than at a scale.

    `box` is in the picture's pixels.
    """
    if scale <= region.scale * 1.2 or box.max_side > _SMALL * scale:
        return None
    own = Box(*(round(place) for place in region.within(box)))
    near = own.widened(own.max_side // 2 + 2, *region.gray.shape)
    gray = region.gray[near.top : near.bottom, near.left : near.right]
    origin = region.place(near)
    return Region(gray, origin.top, origin.left, region.scale)


def _of_reading(region: Region, reading: Reading, prior: float) -> list[Candidate]:
    smooth = np.asarray(cv2.blur(np.asarray(reading.contrast, np.float32), (3, 3)), np.float32)
    grain = _grain(smooth)
    strongest = _strongest(smooth)
    if strongest < _MIN_CONTRAST or (not reading.cut and strongest < _NOISE_FACTOR * grain):
        return []
    found: list[Candidate] = []
    inked = 0
    for share, cost in _INK_BEGINS:
        begins = max(share * strongest, 0.0 if reading.cut else 3 * grain)
        mask = (smooth > begins).astype(np.uint8) * 255
        before, inked = inked, cv2.countNonZero(mask)
        if before and inked > _SAME_INK * before:
            break
        masks = [(mask, 0.0)]
        if (clean := without_lines(mask)) is not None:
            masks.append((clean, 0.1))
        for ink, bonus in masks:
            full = max(_INK_IS_FULL * strongest, 1.5 * begins)
            cover = np.clip((reading.contrast - begins / 2) / (full - begins / 2), 0, 1)
            for group in groups(Components.of(ink), cut=reading.cut, uneven=reading.uneven):
                pixels = normalized(cover * group.mask, group.box)
                total = prior + cost + bonus + group.prior
                found.append(
                    Candidate(
                        pixels, region.place(group.box), total, strongest, group.characters, group.alone
                    )
                )
    return found


def _unlike(found: list[Candidate]) -> list[Candidate]:
    """Leaves out what shows the same as a likelier one."""
    kept: list[Candidate] = []
    for candidate in sorted(found, key=lambda one: -one.prior):
        pixels = candidate.pixels.astype(np.int16)
        if all(np.abs(pixels - other.pixels).mean() > 8 for other in kept):
            kept.append(candidate)
    return kept


def _grain(smooth: Contrast) -> float:
    """The background's noise as a standard deviation, from its lower third, since ink may cover half."""
    sample = smooth[::2, ::2].ravel()
    low, high = (round(share * (sample.size - 1)) for share in (0.1, 0.3))
    ordered = np.partition(sample, (low, high))
    return float(ordered[high] - ordered[low]) / 0.757


def _strongest(smooth: Contrast) -> float:
    """The contrast of well inked places: the middle of what is at least half as strong as the strongest."""
    top = float(smooth.max())
    return middle(smooth[smooth >= top / 2]) if top > 0 else 0.0


def _sized(region: Region) -> Region:
    """Brings the longer side to at most `_MAX_SIDE` pixels, and a thumbnail's to `_MIN_SIDE`."""
    longest = max(region.gray.shape)
    side = min(max(longest, _MIN_SIDE), _MAX_SIDE)
    if side == longest:
        return region
    scale = side / longest
    width, height = (max(1, round(length * scale)) for length in region.gray.shape[::-1])
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    gray: Gray = np.asarray(cv2.resize(region.gray, (width, height), interpolation=method), np.uint8)
    return Region(gray, region.down, region.across, region.scale / scale)
