"""Any picture of a digit becomes the 784 pixels that an MNIST-trained network expects."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from digits.errors import InvalidInput
from digits.imaging.candidates import candidates
from digits.imaging.raw_pixels import from_pixels
from tests.unit.pictures import Grey, drawn, encoded, enlarged, on_paper, original

LIMIT = 5_000_000


@pytest.fixture(autouse=True)
def warnings_are_errors() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def decoded(data: bytes) -> Grey:
    """The likeliest reading of a picture, before a network has seen any."""
    pixels = candidates(data, LIMIT, "image")[0].pixels
    assert (pixels.shape, pixels.dtype) == ((28, 28), np.uint8)
    return pixels


def refusal(data: bytes, limit: int = LIMIT) -> str:
    with pytest.raises(InvalidInput) as caught:
        candidates(data, limit, "image")
    assert caught.value.field == "image"
    return caught.value.problem


def likeness(first: Grey, second: Grey) -> float:
    """The correlation of two pictures, the better one where they are a pixel apart."""
    places = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    moved = [np.roll(first, place, axis=(0, 1)).ravel() for place in places]
    return max(float(np.corrcoef(image, second.ravel())[0, 1]) for image in moved)


def ramp(height: int, width: int, darkest: float) -> NDArray[np.float64]:
    return darkest + (1 - darkest) * (np.arange(width) / width + np.arange(height)[:, None] / height) / 2


def shadow(height: int, width: int, begins: float = 0.6) -> NDArray[np.float64]:
    across = np.arange(width) + 0.3 * np.arange(height)[:, None]
    return 1 - 0.5 * np.clip((across - begins * width) / 10, 0, 1)


def transparent(ink: Grey, colour: tuple[int, int, int]) -> Image.Image:
    image = Image.new("RGBA", (ink.shape[1], ink.shape[0]), colour)
    image.putalpha(Image.fromarray(ink))
    return image


def coloured(ink: Grey, paper: tuple[int, int, int], pen: tuple[int, int, int]) -> Image.Image:
    base = on_paper(ink, tones=(0, 255))
    return Image.composite(
        Image.new("RGB", (500, 400), pen), Image.new("RGB", (500, 400), paper), Image.fromarray(base)
    )


def turned(ink: Grey, orientation: int, how: Image.Transpose) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(Image.fromarray(255 - ink).transpose(how), "JPEG", exif=exif, quality=90)


def animated(ink: Grey) -> bytes:
    frames = [Image.fromarray(255 - ink), Image.fromarray(np.full_like(ink, 255))]
    return encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])


def blurred(image: Grey, radius: float) -> Image.Image:
    return Image.fromarray(image).filter(ImageFilter.GaussianBlur(radius))


WAYS: dict[str, Callable[[Grey], bytes]] = {
    "light on dark": encoded,
    "dark on light": lambda ink: encoded(255 - ink),
    "off-centre on a large sheet": lambda ink: encoded(on_paper(ink, (1200, 900), (800, 150))),
    "tiny on a huge sheet": lambda ink: encoded(on_paper(enlarged(ink, 80), (1200, 900), (1050, 700))),
    "chalk on a board, off-centre": lambda ink: encoded(on_paper(ink, tones=(30, 220))),
    "black on transparent": lambda ink: encoded(transparent(ink, (0, 0, 0))),
    "white on transparent": lambda ink: encoded(transparent(ink, (255, 255, 255))),
    "colours on transparent": lambda ink: encoded(Image.fromarray(255 - ink).convert("LA")),
    "turned by EXIF 3": lambda ink: turned(ink, 3, Image.Transpose.ROTATE_180),
    "turned by EXIF 6": lambda ink: turned(ink, 6, Image.Transpose.ROTATE_90),
    "turned by EXIF 8": lambda ink: turned(ink, 8, Image.Transpose.ROTATE_270),
    "mirrored by EXIF 2": lambda ink: turned(ink, 2, Image.Transpose.FLIP_LEFT_RIGHT),
    "JPEG of quality 30": lambda ink: encoded(255 - ink, "JPEG", quality=30),
    "JPEG of quality 5": lambda ink: encoded(255 - ink, "JPEG", quality=5),
    "out of focus": lambda ink: encoded(blurred(255 - ink, 5)),
    "under uneven light": lambda ink: encoded(on_paper(ink, light=ramp(400, 500, 0.3), noise=4)),
    "chalk under uneven light": lambda ink: encoded(
        on_paper(ink, tones=(40, 220), light=ramp(400, 500, 0.4))
    ),
    "under a shadow's edge": lambda ink: encoded(on_paper(ink, light=shadow(400, 500), noise=4)),
    "mostly in shadow": lambda ink: encoded(on_paper(ink, light=shadow(400, 500, 0.45), noise=4)),
    "noisy": lambda ink: encoded(on_paper(ink, tones=(210, 60), noise=30)),
    "faint": lambda ink: encoded(on_paper(ink, tones=(200, 160), noise=2)),
    "16 bits": lambda ink: encoded(Image.fromarray((255 - ink).astype(np.uint16) * 257)),
    "16 bits TIFF": lambda ink: encoded(Image.fromarray((255 - ink).astype(np.uint16) * 257), "TIFF"),
    "float TIFF": lambda ink: encoded(Image.fromarray(np.float32(1) - ink.astype(np.float32) / 255), "TIFF"),
    "CMYK": lambda ink: encoded(Image.fromarray(255 - ink).convert("CMYK"), "JPEG", quality=90),
    "palette": lambda ink: encoded(Image.fromarray(255 - ink).convert("RGB").quantize(8)),
    "palette with transparency": lambda ink: encoded(Image.fromarray(255 - ink).quantize(8), transparency=0),
    "one bit": lambda ink: encoded(Image.fromarray(ink < 128)),
    "dithered": lambda ink: encoded(Image.fromarray(255 - ink // 4 * 3).convert("1")),
    "BMP": lambda ink: encoded(255 - ink, "BMP"),
    "WebP": lambda ink: encoded(255 - ink, "WEBP", quality=50),
    "animated": animated,
    "blue pen on cream": lambda ink: encoded(coloured(ink, (245, 240, 225), (30, 40, 160)), "JPEG"),
    "yellow pen on white": lambda ink: encoded(coloured(ink, (250, 250, 250), (250, 235, 40)), "JPEG"),
    "red pen on green as bright": lambda ink: encoded(coloured(ink, (30, 160, 40), (220, 70, 60)), "JPEG"),
    "small": lambda ink: encoded(255 - np.asarray(Image.fromarray(ink).reduce(14))),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_digit_is_recognisable_however_it_was_pictured(way: str) -> None:
    for digit in (1, 4, 8):
        first = original(digit)
        assert likeness(decoded(WAYS[way](enlarged(first, 280))), first) > 0.8, digit


@pytest.mark.parametrize("pen", [0.01, 0.02, 0.04, 0.08, 0.15, 0.22])
def test_strokes_come_out_about_as_wide_as_in_mnist_whatever_the_pen(pen: float) -> None:
    for digit in (2, 7):
        pixels = decoded(encoded(on_paper(drawn(digit, 1000, pen), (1200, 1100), (100, 50))))
        assert likeness(pixels, original(digit)) > 0.7, digit
        assert pixels.max() == 255
        assert 25 < pixels.sum() / 255 < 230, digit


def test_a_digit_is_framed_as_mnist_frames_it() -> None:
    for digit in (0, 5, 9):
        pixels = decoded(encoded(on_paper(enlarged(original(digit), 200), at=(250, 10))))
        rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
        assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20
        y, x = np.indices((28, 28))
        assert abs((y * pixels).sum() / pixels.sum() - 14) <= 0.5
        assert abs((x * pixels).sum() / pixels.sum() - 14) <= 0.5


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P"])
def test_a_28_x_28_original_passes_bit_for_bit(mode: str) -> None:
    for digit in range(10):
        first = original(digit)
        np.testing.assert_array_equal(decoded(encoded(Image.fromarray(first).convert(mode))), first)


def test_a_28_x_28_negative_becomes_the_original() -> None:
    np.testing.assert_array_equal(decoded(encoded(255 - original(3))), original(3))


def test_a_28_x_28_picture_that_is_off_centre_is_framed() -> None:
    moved = np.roll(original(1), 8, axis=1)
    assert likeness(decoded(encoded(moved)), original(1)) > 0.85


def test_dirt_on_the_paper_and_a_table_beside_it_are_not_the_digit() -> None:
    sheet = on_paper(enlarged(original(4), 280), (800, 600), (200, 150))
    sheet[:, 760:] = 20
    for y, x in ((30, 30), (560, 100), (100, 600)):
        sheet[y : y + 5, x : x + 5] = 50
    assert likeness(decoded(encoded(sheet)), original(4)) > 0.85


def test_a_digit_that_touches_the_edge_is_still_the_digit() -> None:
    ink = np.asarray(Image.fromarray(drawn(7)).crop(Image.fromarray(drawn(7)).getbbox()))
    assert likeness(decoded(encoded(255 - ink)), original(7)) > 0.85


def test_a_damaged_exif_block_does_not_matter() -> None:
    damaged = encoded(
        255 - enlarged(original(2), 280), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff" + bytes(50)
    )
    with warnings.catch_warnings(action="ignore"):
        assert likeness(decoded(damaged), original(2)) > 0.85


def test_the_five_that_comes_with_the_service_is_framed() -> None:
    data = (Path(__file__).parents[2] / "data/test/data/n5.png").read_bytes()
    assert likeness(decoded(data), original(5)) > 0.6


def claiming(width: int, height: int, data: bytes = b"") -> bytes:
    """A PNG whose header claims a size."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunk = b"IDAT" + zlib.compress(data)
    parts = [header, chunk, b"IEND"]
    framed = [struct.pack(">I", len(p) - 4) + p + struct.pack(">I", zlib.crc32(p)) for p in parts]
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)


@pytest.mark.parametrize("size", [(20_000, 20_000), (5_001, 5_000), (10_000, 10_000), (2_000_000_000, 1)])
def test_a_picture_of_too_many_pixels_is_refused_by_its_header(size: tuple[int, int]) -> None:
    assert "at most 25,000,000 pixels" in refusal(claiming(*size))


@pytest.mark.parametrize("size", [(1, 1), (7, 100), (100, 7), (0, 0), (0, 10)])
def test_a_picture_of_too_few_pixels_is_refused(size: tuple[int, int]) -> None:
    assert "pixels; at least 8 x 8" in refusal(claiming(*size)) or min(size) == 0


GOOD = encoded(255 - enlarged(original(6), 280))


@pytest.mark.parametrize(
    "data",
    [
        b"this is text, renamed to five.png",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
        b"\0" * 100,
        GOOD[:4],
        GOOD[:20],
        GOOD[8:],
        encoded(255 - original(6), "PPM"),
        encoded(255 - enlarged(original(6), 64), "ICO"),
    ],
    ids=range(9),
)
def test_what_is_no_picture_of_a_known_kind_is_refused(data: bytes) -> None:
    assert refusal(data).startswith("is not a readable picture")
    assert refusal(data).endswith("allowed are PNG, JPEG, GIF, BMP, TIFF, WEBP")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"])
def test_a_truncated_picture_is_refused_wherever_it_is_cut(kind: str) -> None:
    whole = encoded(255 - enlarged(original(6), 64), kind)
    for length in range(1, len(whole) * 3 // 4, max(1, len(whole) // 15)):
        assert "picture" in refusal(whole[:length])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"])
def test_damaged_bytes_give_a_digit_or_a_refusal_and_nothing_else(kind: str) -> None:
    whole = bytearray(encoded(255 - enlarged(original(6), 64), kind))
    random = np.random.default_rng(2)
    for _ in range(25):
        damaged = bytearray(whole)
        for place in random.integers(0, len(whole), 5):
            damaged[place] = random.integers(0, 256)
        try:
            decoded(bytes(damaged))
        except InvalidInput as error:
            assert error.field == "image"


def test_an_empty_file_is_refused() -> None:
    assert "is empty" in refusal(b"")


def test_a_file_over_the_limit_is_refused_with_the_limit() -> None:
    assert "at most 1,000 are allowed" in refusal(GOOD + bytes(1000), limit=1000)


BLANKS: dict[str, Callable[[], bytes]] = {
    "white": lambda: encoded(np.full((100, 100), 255, np.uint8)),
    "black": lambda: encoded(np.zeros((28, 28), np.uint8)),
    "grey": lambda: encoded(np.full((300, 200), 128, np.uint8), "JPEG"),
    "all transparent": lambda: encoded(Image.new("RGBA", (100, 100), (10, 20, 30, 0))),
    "noise": lambda: encoded(np.random.default_rng(1).integers(0, 256, (300, 300), np.uint8)),
    "noise of 28 x 28": lambda: encoded(np.random.default_rng(1).integers(0, 256, (28, 28), np.uint8)),
    "faint noise": lambda: encoded(on_paper(np.zeros((9, 9), np.uint8), noise=6), "JPEG"),
    "gradient": lambda: encoded((ramp(300, 400, 0.2) * 255).astype(np.uint8)),
    "gradient and noise": lambda: encoded(
        on_paper(np.zeros((9, 9), np.uint8), light=ramp(400, 500, 0.3), noise=8)
    ),
    "a shadow's edge": lambda: encoded(on_paper(np.zeros((9, 9), np.uint8), light=shadow(400, 500))),
    "a speck": lambda: encoded(on_paper(np.full((5, 5), 255, np.uint8))),
    "16 bits of nothing": lambda: encoded(Image.fromarray(np.full((50, 50), 40_000, np.uint16))),
    "NaN": lambda: encoded(Image.fromarray(np.full((50, 50), np.nan, np.float32)), "TIFF"),
}


@pytest.mark.parametrize("blank", BLANKS)
def test_a_picture_with_nothing_on_it_is_an_error_and_not_a_digit(blank: str) -> None:
    assert "nothing but paper" in refusal(BLANKS[blank]())


def test_784_bytes_are_used_as_they_are() -> None:
    data = bytes(range(196)) * 4
    assert from_pixels(data, "pixels").pixels.tobytes() == data


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (bytes(784), "are all 0"),
        (b"\x01" * 784, "are all 1"),
        (b"\xff" * 784, "are all 255"),
        (bytes([0, 1]) * 392, "hold nothing but 0 and 1"),
    ],
)
def test_784_bytes_that_cannot_be_a_picture_are_refused(data: bytes, says: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        from_pixels(data, "pixels")
    assert caught.value.problem == f"{says}; a picture has 0 for paper to 255 for ink"


def test_a_faint_28_x_28_original_is_stretched_to_full_ink() -> None:
    faint = (original(3) // 4).astype(np.uint8)
    assert np.abs(decoded(encoded(faint)).astype(int) - original(3)).max() <= 4


@pytest.mark.parametrize("length", [0, 783, 785])
def test_another_number_of_bytes_is_refused(length: int) -> None:
    with pytest.raises(InvalidInput, match="exactly 784") as caught:
        from_pixels(bytes(length), "pixels")
    assert caught.value.field == "pixels"
