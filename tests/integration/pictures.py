"""Makes picture files: a five as people make them, and files that are no picture of a digit."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image

ORIENTATION = 0x0112
TURN_LEFT_TO_VIEW = 8


def png(image: Image.Image) -> bytes:
    """The picture as a PNG file."""
    return saved(image, "PNG")


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    """The picture as a file of some kind."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that says it is so large, and holds hardly anything."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(100))), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def as_people_make_them(five: bytes) -> dict[str, bytes]:
    """The same five in other files: every one of them is a five."""
    grey = Image.open(io.BytesIO(five)).convert("L")
    ink = np.asarray(grey)
    paper = 255 if np.median(ink) > 127 else 0
    inverted = Image.fromarray(255 - ink)
    exif = Image.Exif()
    exif[ORIENTATION] = TURN_LEFT_TO_VIEW
    wide = Image.fromarray(ink.astype(np.uint16) * 257)
    alpha = Image.new("LA", grey.size, 0)
    alpha.putalpha(inverted if paper else grey)
    return {
        "as it is": png(grey),
        "inverted": png(inverted),
        "animated": saved(grey, "GIF", save_all=True, append_images=[inverted]),
        "16-bit": png(wide),
        "CMYK": saved(grey.convert("CMYK"), "JPEG", quality=95),
        "palette": png(grey.convert("P")),
        "alpha": png(alpha),
        "EXIF-rotated": saved(grey.transpose(Image.Transpose.ROTATE_270), "PNG", exif=exif),
    }


def not_a_digit(five: bytes) -> dict[str, tuple[bytes, str]]:
    """Files that are refused: name → (bytes, what the answer says)."""
    return {
        "empty": (b"", "is empty"),
        "text renamed to .png": (b"This is no picture.\n" * 20, "not a readable picture"),
        "truncated": (five[: len(five) // 2], "truncated"),
        "1 x 1": (png(Image.new("L", (1, 1))), "1 x 1"),
        "20,000 x 20,000": (png_header(20_000, 20_000), "at most"),
        "no area": (png_header(0, 0), "not a readable picture"),
        "blank and white": (png(Image.new("L", (28, 28), 255)), "nothing but paper"),
        "blank and black": (png(Image.new("L", (200, 100), 0)), "nothing but paper"),
        "blank and transparent": (png(Image.new("RGBA", (64, 64))), "nothing but paper"),
        "over 10 MB": (five + bytes(10 << 20), "at most"),
    }
