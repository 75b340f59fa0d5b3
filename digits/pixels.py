"""What a picture is to the network: 28 x 28 bytes, 0 background to 255 ink, as MNIST has them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

SIDE = 28
PIXELS_PER_IMAGE = SIDE * SIDE
CLASSES = 10
