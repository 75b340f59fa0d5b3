"""Draws on the page's paper as a hand would: by mouse, from one point to the next."""

from __future__ import annotations

from collections.abc import Sequence

from playwright.sync_api import Page

# A five in two strokes, as shares of the paper's sides: the body from the top left down, then the roof.
FIVE = (
    (
        (0.38, 0.24), (0.37, 0.34), (0.36, 0.44), (0.44, 0.41), (0.53, 0.42), (0.61, 0.48),
        (0.64, 0.56), (0.62, 0.66), (0.55, 0.73), (0.46, 0.75), (0.36, 0.72),
    ),
    ((0.38, 0.24), (0.5, 0.235), (0.64, 0.22)),
)  # fmt: skip


def draw(page: Page, strokes: Sequence[Sequence[tuple[float, float]]]) -> None:
    """Draws strokes on the paper."""
    place = page.locator("#paper").bounding_box()
    assert place
    for stroke in strokes:
        for number, (across, down) in enumerate(stroke):
            x, y = place["x"] + across * place["width"], place["y"] + down * place["height"]
            page.mouse.move(x, y, steps=4)
            if number == 0:
                page.mouse.down()
        page.mouse.up()
