"""PNG files inflated in one go: Pillow does it row by row, in a fifth of the time that a drawing takes."""

from __future__ import annotations

import struct

from zlib_ng import zlib_ng

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = struct.Struct(">I4sIIBBBBBI")
_CHUNK = struct.Struct(">I4s")
_CRC_BYTES = 4
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# 512 x 512 pixels of red, green, blue and opacity: a drawing. More would be a copy of a photo.
_MAX_BYTES = (1 << 20) + 512


def inflated(data: bytes) -> bytes:
    """Returns a small PNG file with its pixels not compressed, and any other file as it is.

    What is damaged, interlaced or says other than it holds stays as it is, too, for Pillow to judge.
    """
    size = _size(data)
    if not 0 < size <= _MAX_BYTES or len(data) > 2 * _MAX_BYTES:
        return data
    start, end, parts = _pixels(data)
    inflating = zlib_ng.decompressobj()
    try:
        pixels = inflating.decompress(b"".join(parts), size + 1)
    except zlib_ng.error:  # type: ignore[misc]  # Its stubs have it for an instance.
        return data
    if len(pixels) != size or not inflating.eof:
        return data
    stored = zlib_ng.compress(pixels, 0)
    check = zlib_ng.crc32(stored, zlib_ng.crc32(b"IDAT"))
    return b"".join(
        (data[:start], _CHUNK.pack(len(stored), b"IDAT"), stored, check.to_bytes(_CRC_BYTES), data[end:])
    )


def _size(data: bytes) -> int:
    """How many bytes the pixels have by the file's header, with each row's filter; 0 if that is not said."""
    if not data.startswith(_SIGNATURE) or len(data) < len(_SIGNATURE) + _HEADER.size:
        return 0
    _, kind, width, height, depth, colour, _, _, interlaced, _ = _HEADER.unpack_from(data, len(_SIGNATURE))
    if kind != b"IHDR" or interlaced:
        return 0
    return int(height * (1 + (width * depth * _CHANNELS.get(colour, 0) + 7) // 8))


def _pixels(data: bytes) -> tuple[int, int, list[bytes]]:
    """Where the chunks of the pixels start and end, and what is in them."""
    at, start, parts = len(_SIGNATURE), 0, []
    while at + _CHUNK.size <= len(data):
        length, kind = _CHUNK.unpack_from(data, at)
        if kind == b"IDAT":
            start = start or at
            content = at + _CHUNK.size
            parts.append(data[content : content + length])
        elif parts:
            break
        at += _CHUNK.size + length + _CRC_BYTES
    return start, at, parts
