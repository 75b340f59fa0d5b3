"""Protobuf's encoding, as far as a message can be judged by it without being parsed.

https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

_VARINT, _EIGHT_BYTES, _LENGTH, _FOUR_BYTES = 0, 1, 2, 5


def has_more_fields(message: bytes, max_fields: int) -> bool:
    """Whether a message has more fields than that, each repetition counted; not what is inside of them.

    Looks at no more of them. A group, which no message of ours has, is too much: it may hold anything.
    """
    at, found = 0, 0
    while at < len(message):
        found += 1
        if found > max_fields:
            return True
        key, at = _varint(message, at)
        kind = key & 7
        if kind == _VARINT:
            _, at = _varint(message, at)
        elif kind == _LENGTH:
            length, at = _varint(message, at)
            at += length
        elif kind in (_EIGHT_BYTES, _FOUR_BYTES):
            at += 8 if kind == _EIGHT_BYTES else 4
        else:
            return True
    return False


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """The number that stands there, and what is after it; cut short at the message's end."""
    value = shift = 0
    for byte in message[at : at + 10]:
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    return value, len(message)
