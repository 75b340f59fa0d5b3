"""Pictures whose rows and columns are swapped, as EMNIST is distributed: only a network can see it."""

from __future__ import annotations

import numpy as np

from digits.pixels import PIXELS_PER_IMAGE, SIDE, Pixels

# For whoever notices it, by a network that knows how digits look.
HINT = (
    "the pictures look transposed, as EMNIST's are: send orientation TRANSPOSED, and they are turned, "
    "or save x_train.transpose(0, 2, 1)"
)


def transposed(pixels: Pixels) -> Pixels:
    """Returns (N, 784) pixels with the rows and columns of each picture swapped."""
    turned = pixels.reshape(-1, SIDE, SIDE).transpose(0, 2, 1)
    return np.ascontiguousarray(turned).reshape(-1, PIXELS_PER_IMAGE)
