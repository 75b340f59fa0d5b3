"""What goes between a service and the process that reads Parquet for it: a kind, a length, so many bytes."""

from __future__ import annotations

import socket
import struct

from digits.pixels import PIXELS_PER_IMAGE

# The service asks what a file of so many bytes holds, and then for its labels; or for its pixels; and for the
# next of them.
TABLE, PIXELS, NEXT = b"T", b"P", b"N"
# The process answers, or asks for bytes of the file first.
ROWS, END, PROBLEM, READ = b"R", b"E", b"X", b"?"
# What the service sends then.
BYTES = b"B"

# A read says where it begins, and then how many bytes.
PLACE_BYTES = 8
MAX_PIECE_BYTES = 1 << 20
# 3 MB of pixels, if they are of 64 bits.
PIXEL_ROWS = 512
LABEL_ROWS = 65_536
# The type of rows, as numpy has it, stands before them; with blanks, so that they are aligned.
TYPE_BYTES = 8
MAX_FRAME_BYTES = TYPE_BYTES + PIXEL_ROWS * PIXELS_PER_IMAGE * 8

_HEAD = struct.Struct(">cI")


def send(line: socket.socket, kind: bytes, content: bytes = b"") -> None:
    """Sends a frame; raises OSError if nobody is there to take it."""
    line.sendall(_HEAD.pack(kind, len(content)))
    line.sendall(content)


def receive(line: socket.socket) -> tuple[bytes, bytes]:
    """Returns a frame's kind and content; raises EOFError if none comes, ValueError for a long one."""
    kind, length = _HEAD.unpack(_exactly(line, _HEAD.size))
    if length > MAX_FRAME_BYTES:
        raise ValueError(f"a frame of {length} bytes")
    return kind, _exactly(line, length)


def _exactly(line: socket.socket, count: int) -> bytes:
    content, filled = bytearray(count), 0
    while filled < count:
        received = line.recv_into(memoryview(content)[filled:])
        if not received:
            raise EOFError("the other end is gone")
        filled += received
    return bytes(content)
