"""A picture for whoever asks for an answer and not for a digit, as the `pixels` of a request."""

from __future__ import annotations

# A bar of full ink, 18 rows and 3 columns, in the middle of 28 x 28 pixels.
STROKE = bytes(255 if 5 <= row < 23 and 13 <= column < 16 else 0 for row in range(28) for column in range(28))
