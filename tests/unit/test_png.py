"""PNG files that are inflated in one go show what Pillow shows of them, or are left to it."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from digits.imaging.png import inflated

_SIDE = 200


def saved(image: Image.Image, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", **options)  # type: ignore[arg-type]
    return file.getvalue()


def noise(mode: str = "RGBA", side: int = _SIDE) -> Image.Image:
    values = np.random.default_rng(0).integers(0, 256, (side, side, 4), np.uint8)
    return Image.fromarray(values, "RGBA").convert("L" if mode == "I;16" else mode)


def drawn(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_a_picture_of_each_mode_is_the_same(mode: str) -> None:
    image = noise(mode)
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image, np.uint16) * 257)
    data = saved(image)
    assert (drawn(inflated(data)).mode, drawn(inflated(data)).tobytes()) == (image.mode, image.tobytes())
    assert len(inflated(data)) > len(image.tobytes()), "it was not inflated"


def test_what_is_beside_the_pixels_stays() -> None:
    data = saved(noise("P"), dpi=(300, 300), transparency=3, icc_profile=b"a profile")
    assert drawn(inflated(data)).info == drawn(data).info


def test_pixels_in_many_chunks_are_the_same() -> None:
    data = saved(noise("L"))
    start = data.index(b"IDAT") - 4
    length = int.from_bytes(data[start : start + 4])
    content = data[start + 8 : start + 8 + length]
    pieces = [chunk(b"IDAT", content[at : at + 999]) for at in range(0, length, 999)]
    split = data[:start] + b"".join(pieces) + data[start + 12 + length :]
    assert drawn(inflated(split)).tobytes() == noise("L").tobytes()


@pytest.mark.parametrize("at", range(8, 120, 3))
def test_a_file_that_is_cut_or_damaged_at_any_place_is_taken_as_pillow_takes_it(at: int) -> None:
    data = saved(noise("L", 9))
    for broken in (data[:at], data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :]):
        try:
            shown = drawn(broken).tobytes()
        except Exception as error:  # Whatever it raises, the other is to raise.
            with pytest.raises(type(error)):
                drawn(inflated(broken)).load()
        else:
            assert drawn(inflated(broken)).tobytes() == shown


def test_a_file_that_inflates_to_more_than_it_says_is_left_as_it_is() -> None:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 9, 9, 8, 0, 0, 0, 0))
    bomb = (
        b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(50_000_000))) + chunk(b"IEND", b"")
    )
    assert inflated(bomb) is bomb


def test_a_large_an_interlaced_and_another_file_are_left_as_they_are() -> None:
    large = saved(noise("RGBA", 600))
    data = bytearray(saved(noise("L", 9)))
    data[28] = 1
    for file in (large, bytes(data), b"", b"GIF89a", b"\x89PNG\r\n\x1a\n"):
        assert inflated(file) is file
