"""Finds the ink in a grey picture: on which paper, under which light, and which marks are the digit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from digits.imaging.background import Grey, blurred, ink_contrast
from digits.imaging.components import Box, digit_components

# Ink must stand out of the paper's grain this many times (a page of noise reaches 5) ...
_NOISE_FACTOR = 7.0
# ... and by this share of the range from black to white.
_MIN_CONTRAST = 0.05
# Where ink begins and where it is full, as shares of the strongest ink's contrast.
_INK_BEGINS = 0.15
_INK_IS_FULL = 0.65


@dataclass(frozen=True)
class Ink:
    """`cover` (H, W) float32, 0 paper to 1 ink; `box` around the marks that are the digit."""

    cover: Grey
    box: Box


def segment(grey: Grey) -> Ink | None:
    """Returns the ink in a picture (H, W), 0 to 255, or None where there is nothing but paper.

    Ink may be darker or lighter than the paper, which is what the picture's border mostly shows.
    """
    contrast = ink_contrast(grey)
    smooth = blurred(contrast.values)
    grain = _grain(smooth)
    strongest = _strongest(smooth)
    if strongest < max(_MIN_CONTRAST, _NOISE_FACTOR * grain):
        return None
    begins = max(_INK_BEGINS * strongest, 3 * grain)
    marks = digit_components(smooth > begins, edge_allowed=contrast.even_light)
    if marks is None:
        return None
    full = max(_INK_IS_FULL * strongest, 1.5 * begins)
    cover = np.clip((contrast.values - begins / 2) / (full - begins / 2), 0, 1) * marks.mask
    return Ink(cover.astype(np.float32), marks.box)


def _grain(smooth: Grey) -> float:
    """The paper's noise as a standard deviation, from its lower third, since ink may cover half."""
    low, high = np.percentile(smooth, (10, 30))
    return float(high - low) / 0.757


def _strongest(smooth: Grey) -> float:
    """The contrast of well inked places: the middle of what is at least half as strong as the strongest."""
    top = float(smooth.max())
    return float(np.median(smooth[smooth >= top / 2])) if top > 0 else 0.0
