"""A 28 x 28 picture as text: two rows of pixels a line, so that it is as high as it is wide."""

from __future__ import annotations

_SIDE = 28
# Which half of a character is inked: neither, the upper, the lower, both.
_HALVES = (" ", "▀", "▄", "█")
_INK = 96


def drawn(pixels: bytes) -> str:
    """The picture in a frame; `pixels` are 784 bytes, 0 for paper to 255 for ink."""
    rows = [pixels[start : start + _SIDE] for start in range(0, len(pixels), _SIDE)]
    lines = ["".join(map(_half, rows[at], rows[at + 1])) for at in range(0, len(rows), 2)]
    edge = "─" * _SIDE
    return "\n".join([f"┌{edge}┐", *(f"│{line}│" for line in lines), f"└{edge}┘"])


def _half(upper: int, lower: int) -> str:
    return _HALVES[(upper >= _INK) + 2 * (lower >= _INK)]
