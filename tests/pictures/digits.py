"""The kinds of pictures of one digit."""

from __future__ import annotations

import io
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.pictures.ink import Random, centred, cropped, ink, placed
from tests.pictures.light import (
    Colour,
    Photo,
    as_bytes,
    blurred,
    graded,
    grained,
    jpeg,
    painted,
    paper,
    pen,
    png,
    seen_at_an_angle,
    shadowed,
    turned,
)

Digit = NDArray[np.uint8]
Kind = Callable[[Digit, Random], bytes]

BLACK: Colour = (15, 15, 15)
WHITE: Colour = (255, 255, 255)


def _drawing(digit: Digit, random: Random) -> bytes:
    cover = centred(ink(digit, random.uniform(120, 230), random, random.uniform(0.9, 1.3)), 280, 280)
    return png(painted(cover, WHITE, BLACK))


def _drawing_on_black(digit: Digit, random: Random) -> bytes:
    cover = placed(
        ink(digit, random.uniform(100, 220), random, random.uniform(0.8, 1.4)), 280, 280, random, 0.02
    )
    return png(painted(cover, (0, 0, 0), WHITE))


def _thick_marker(digit: Digit, random: Random) -> bytes:
    cover = placed(ink(digit, random.uniform(180, 300), random, 1.9), 400, 400, random)
    return png(painted(cover, paper(random), pen(random)))


def _thin_pen(digit: Digit, random: Random) -> bytes:
    cover = placed(ink(digit, random.uniform(150, 300), random, 0.25), 480, 640, random)
    return jpeg(grained(painted(cover, paper(random), pen(random)), random, 3))


def _tight(digit: Digit, random: Random) -> bytes:
    cover = cropped(ink(digit, random.uniform(60, 200), random))
    return png(painted(cover, WHITE, BLACK))


def _tight_on_black(digit: Digit, random: Random) -> bytes:
    cover = cropped(ink(digit, random.uniform(60, 200), random))
    return png(painted(cover, BLACK, WHITE))


def _tight_photo(digit: Digit, random: Random) -> bytes:
    cover = cropped(ink(digit, random.uniform(100, 220), random))
    photo = graded(painted(cover, paper(random), pen(random)), random, 0.6)
    return jpeg(grained(blurred(photo, 1.2), random, 5))


def _small(digit: Digit, random: Random) -> bytes:
    side = int(random.integers(20, 44))
    cover = centred(ink(digit, side * random.uniform(0.55, 0.8), random), side, side)
    return png(painted(cover, WHITE, BLACK))


def _tiny_on_a_large_sheet(digit: Digit, random: Random) -> bytes:
    cover = placed(ink(digit, random.uniform(50, 80), random), 900, 1200, random)
    return jpeg(grained(painted(cover, paper(random), pen(random)), random, 4))


def _in_a_corner(digit: Digit, random: Random) -> bytes:
    sheet = np.zeros((480, 640), np.float32)
    cover = ink(digit, random.uniform(80, 140), random)
    top, left = (int(random.choice([4, 476 - cover.shape[0]])), int(random.choice([4, 636 - cover.shape[1]])))
    sheet[top : top + cover.shape[0], left : left + cover.shape[1]] = cover
    return png(painted(sheet, paper(random), pen(random)))


def _desk(digit: Digit, random: Random) -> bytes:
    """A sheet on a darker table."""
    wood = np.array(
        [(90, 60, 40), (120, 85, 55), (70, 70, 75), (60, 45, 35)][int(random.integers(4))], np.float32
    )
    table = np.broadcast_to(wood, (900, 1200, 3)) + random.normal(0, 5, (900, 1200, 1))
    high, wide = int(random.integers(480, 700)), int(random.integers(380, 560))
    cover = placed(ink(digit, random.uniform(140, 260), random), high, wide, random, 0.12)
    return jpeg(_laid_on(table.astype(np.float32), painted(cover, paper(random), pen(random)), random))


def _sticky_note(digit: Digit, random: Random) -> bytes:
    table = np.full((700, 900, 3), (225, 222, 218), np.float32) + random.normal(0, 4, (700, 900, 1))
    note: Colour = [(250, 235, 110), (250, 170, 190), (160, 220, 250)][int(random.integers(3))]
    cover = placed(ink(digit, random.uniform(150, 260), random), 380, 380, random, 0.08)
    return jpeg(
        graded(_laid_on(table.astype(np.float32), painted(cover, note, pen(random)), random), random, 0.75)
    )


def _laid_on(table: Photo, sheet: Photo, random: Random) -> Photo:
    """The sheet somewhere on the table, turned by up to ten degrees."""
    height, width = table.shape[:2]
    high, wide = sheet.shape[:2]
    turn = cv2.getRotationMatrix2D((wide / 2, high / 2), random.uniform(-10, 10), 1.0)
    room_x, room_y = width - wide, height - high
    turn[:, 2] += (random.uniform(0.2, 0.8) * room_x, random.uniform(0.3, 0.7) * room_y)
    mask = cv2.warpAffine(np.ones((high, wide), np.float32), turn, (width, height))[..., None]
    laid = cv2.warpAffine(sheet, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return grained(table + mask * (laid - table), random, 3)


def _boxed(digit: Digit, random: Random) -> bytes:
    """A printed box round the digit."""
    side = 300
    cover = centred(ink(digit, random.uniform(80, 130), random), side, side)
    cover = np.roll(cover, tuple(random.integers(-20, 21, 2)), (0, 1))
    near = int(random.uniform(0.1, 0.18) * side)
    return png(_with_box(painted(cover, (245, 245, 245), BLACK), near, int(random.integers(1, 5))))


def _with_box(photo: Photo, near: int, width: int, colour: Colour = (50, 50, 50)) -> Photo:
    high, wide = photo.shape[:2]
    return np.asarray(
        cv2.rectangle(photo.copy(), (near, near), (wide - near, high - near), colour, width), np.float32
    )


def _cell(digit: Digit, random: Random) -> bytes:
    """A table's cell with its lines at the edge."""
    side = int(random.integers(56, 140))
    cover = centred(ink(digit, side * random.uniform(0.45, 0.6), random), side, side)
    return png(_with_box(painted(cover, (240, 240, 240), (40, 40, 40)), 1, int(random.integers(2, 4))))


def _cell_in_a_form(digit: Digit, random: Random) -> bytes:
    """The lines of a form's cell, of which the neighbours' are seen too."""
    cover = centred(ink(digit, random.uniform(100, 150), random), 320, 320)
    photo = painted(cover, paper(random), pen(random))
    for place in (30, 285):
        cv2.line(photo, (place + int(random.integers(-6, 7)), 0), (place, 319), (90, 90, 90), 2)
        cv2.line(photo, (0, place), (319, place + int(random.integers(-6, 7))), (90, 90, 90), 2)
    return png(photo)


def _ruled(
    photo: Photo, random: Random, gap: int, colour: Colour, width: int, *, squared: bool = False
) -> Photo:
    for row in range(int(random.integers(4, gap)), photo.shape[0], gap):
        cv2.line(photo, (0, row), (photo.shape[1], row), colour, width)
    if squared:
        for column in range(int(random.integers(4, gap)), photo.shape[1], gap):
            cv2.line(photo, (column, 0), (column, photo.shape[0]), colour, width)
    return photo


def _on_lines(digit: Digit, random: Random, colour: Colour, *, squared: bool = False) -> bytes:
    """Ink goes over the lines: they are drawn first."""
    sheet = np.empty((450, 600, 3), np.float32)
    sheet[:] = paper(random)
    ruled = _ruled(
        sheet, random, int(random.integers(22, 36)), colour, int(random.integers(1, 3)), squared=squared
    )
    cover = placed(ink(digit, random.uniform(90, 180), random), 450, 600, random, 0.12)
    return jpeg(grained(painted(cover, ruled, pen(random)), random, 3))


def _ruled_faintly(digit: Digit, random: Random) -> bytes:
    return _on_lines(digit, random, (190, 200, 225))


def _ruled_strongly(digit: Digit, random: Random) -> bytes:
    return _on_lines(digit, random, (130, 135, 140))


def _squared(digit: Digit, random: Random) -> bytes:
    return _on_lines(digit, random, (165, 190, 215), squared=True)


def _whiteboard(digit: Digit, random: Random) -> bytes:
    cover = placed(ink(digit, random.uniform(150, 280), random, 1.1), 480, 640, random, 0.1)
    photo = painted(
        cover, (225, 230, 232), [(200, 30, 40), (20, 60, 180), (20, 20, 25)][int(random.integers(3))]
    )
    y, x = np.mgrid[0:480, 0:640]
    glare = np.exp(-((x - random.uniform(0, 640)) ** 2 + (y - random.uniform(0, 120)) ** 2) / 9000)
    return jpeg(grained(graded(photo, random, 0.7) + 40 * glare[..., None].astype(np.float32), random, 3))


def _chalkboard(digit: Digit, random: Random) -> bytes:
    cover = placed(ink(digit, random.uniform(150, 280), random, 1.1), 480, 640, random, 0.1)
    dust = cv2.GaussianBlur(random.normal(0, 60, (480, 640)).astype(np.float32), (0, 0), 15)[..., None]
    rubbed = cover * np.clip(random.normal(0.85, 0.25, cover.shape), 0.3, 1).astype(np.float32)
    return jpeg(grained(painted(rubbed, (42, 68, 55), (230, 230, 220)) + dust, random, 4))


def _in_a_shadow(digit: Digit, random: Random) -> bytes:
    cover = placed(ink(digit, random.uniform(150, 260), random), 480, 640, random, 0.1)
    return jpeg(grained(shadowed(painted(cover, paper(random), pen(random)), random), random, 4))


def _uneven_light(digit: Digit, random: Random) -> bytes:
    cover = placed(ink(digit, random.uniform(120, 260), random), 480, 640, random, 0.1)
    return jpeg(grained(graded(painted(cover, paper(random), pen(random)), random, 0.3), random, 4))


def _out_of_focus(digit: Digit, random: Random) -> bytes:
    cover = placed(ink(digit, random.uniform(150, 260), random), 480, 640, random, 0.1)
    return jpeg(blurred(painted(cover, paper(random), pen(random)), random.uniform(3, 7)))


def _at_night(digit: Digit, random: Random) -> bytes:
    cover = placed(ink(digit, random.uniform(150, 260), random), 480, 640, random, 0.1)
    return jpeg(grained(painted(cover, (92, 84, 70), (30, 28, 30)), random, 14), 70)


def _faint_pencil(digit: Digit, random: Random) -> bytes:
    cover = placed(ink(digit, random.uniform(150, 260), random, 0.7), 480, 640, random, 0.1)
    lead = cover * np.clip(random.normal(0.7, 0.2, cover.shape), 0.2, 1).astype(np.float32)
    return jpeg(grained(painted(lead, paper(random), (150, 150, 155)), random, 3))


def _coloured_paper(digit: Digit, random: Random) -> bytes:
    papers: list[tuple[Colour, Colour]] = [
        ((60, 120, 200), (250, 250, 250)),
        ((245, 215, 60), (180, 30, 30)),
        ((190, 150, 105), (40, 35, 35)),
        ((240, 160, 170), (40, 50, 130)),
        ((250, 250, 250), (240, 215, 40)),
    ]
    background, colour = papers[int(random.integers(len(papers)))]
    cover = placed(ink(digit, random.uniform(120, 240), random), 400, 500, random, 0.08)
    return jpeg(grained(painted(cover, background, colour), random, 3))


def _at_an_angle(digit: Digit, random: Random) -> bytes:
    cover = placed(ink(digit, random.uniform(170, 260), random), 480, 640, random, 0.2)
    photo = seen_at_an_angle(painted(cover, paper(random), pen(random)), random)
    return jpeg(grained(photo, random, 4))


def _turned(digit: Digit, random: Random) -> bytes:
    cover = turned(ink(digit, random.uniform(120, 200), random), random.uniform(-15, 15))
    return png(painted(placed(cover, 360, 360, random, 0.02), WHITE, BLACK))


def _transparent(digit: Digit, random: Random) -> bytes:
    """Strokes and nothing else: what an app's canvas exports."""
    cover = placed(ink(digit, random.uniform(100, 200), random), 280, 280, random)
    image = Image.new(
        "RGBA", (280, 280), (*(int(c) for c in (WHITE if random.random() < 0.5 else pen(random))), 0)
    )
    image.putalpha(Image.fromarray(np.rint(cover * 255).astype(np.uint8)))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def _bad_jpeg(digit: Digit, random: Random) -> bytes:
    cover = placed(ink(digit, random.uniform(80, 160), random), 240, 320, random)
    return jpeg(painted(cover, paper(random), pen(random)), int(random.integers(6, 14)))


def _one_bit(digit: Digit, random: Random) -> bytes:
    cover = placed(ink(digit, random.uniform(120, 240), random), 400, 400, random)
    photo = graded(painted(cover, (215, 215, 215), BLACK), random, 0.8)
    file = io.BytesIO()
    Image.fromarray(as_bytes(photo)).convert("1").save(file, "PNG")
    return file.getvalue()


def _screenshot(digit: Digit, random: Random) -> bytes:
    """A telephone's screen: bars above and below, and a canvas with a border."""
    dark = random.random() < 0.5
    screen = np.full((800, 400, 3), 30 if dark else 250, np.uint8)
    screen[:48], screen[720:] = (40, 90, 200), (25, 25, 25) if dark else (235, 235, 235)
    cv2.putText(
        screen, "Draw a digit", (16, 32), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (255, 255, 255), 2, cv2.LINE_AA
    )
    cv2.circle(screen, (200, 760), 22, (120, 120, 120), 3, cv2.LINE_AA)
    canvas = centred(ink(digit, random.uniform(150, 250), random, 1.2), 340, 340)
    drawn = painted(canvas, (0, 0, 0) if dark else WHITE, WHITE if dark else (0, 0, 0))
    screen[190:530, 30:370] = as_bytes(drawn)
    cv2.rectangle(screen, (29, 189), (370, 530), (140, 140, 140), 2)
    return png(screen.astype(np.float32))


def _thumb_in_the_corner(digit: Digit, random: Random) -> bytes:
    """A finger, or the table, comes into a corner of the picture."""
    cover = centred(ink(digit, random.uniform(150, 230), random), 480, 640)
    photo = painted(cover, paper(random), pen(random))
    corner = (int(random.choice([0, 639])), int(random.choice([0, 479])))
    cv2.circle(photo, corner, int(random.uniform(70, 120)), (150, 105, 85), -1, cv2.LINE_AA)
    return jpeg(grained(photo, random, 3))


def _beside_the_table(digit: Digit, random: Random) -> bytes:
    """Paper that ends before the picture does."""
    cover = centred(ink(digit, random.uniform(150, 230), random), 480, 640)
    photo = painted(cover, paper(random), pen(random))
    photo[:, 640 - int(random.uniform(20, 110)) :] = (60, 50, 45)
    return jpeg(grained(graded(photo, random, 0.75), random, 3))


def _twelve_megapixels(digit: Digit, random: Random) -> bytes:
    cover = placed(ink(digit, random.uniform(700, 1400), random, 0.7), 3000, 4000, random, 0.1)
    return jpeg(graded(painted(cover, paper(random), pen(random)), random, 0.6), 80)


KINDS: dict[str, Kind] = {
    "drawing": _drawing,
    "drawing on black": _drawing_on_black,
    "thick marker": _thick_marker,
    "thin pen": _thin_pen,
    "tight": _tight,
    "tight on black": _tight_on_black,
    "tight photo": _tight_photo,
    "small": _small,
    "tiny on a large sheet": _tiny_on_a_large_sheet,
    "in a corner": _in_a_corner,
    "desk": _desk,
    "sticky note": _sticky_note,
    "boxed": _boxed,
    "cell": _cell,
    "cell in a form": _cell_in_a_form,
    "ruled faintly": _ruled_faintly,
    "ruled strongly": _ruled_strongly,
    "squared": _squared,
    "whiteboard": _whiteboard,
    "chalkboard": _chalkboard,
    "in a shadow": _in_a_shadow,
    "uneven light": _uneven_light,
    "out of focus": _out_of_focus,
    "at night": _at_night,
    "faint pencil": _faint_pencil,
    "coloured paper": _coloured_paper,
    "at an angle": _at_an_angle,
    "turned": _turned,
    "transparent": _transparent,
    "bad JPEG": _bad_jpeg,
    "one bit": _one_bit,
    "screenshot": _screenshot,
    "thumb in the corner": _thumb_in_the_corner,
    "beside the table": _beside_the_table,
    "twelve megapixels": _twelve_megapixels,
}
