"""Thrift's compact protocol, in which a Parquet file says what it holds.

Strict, so that it reads nothing into the bytes that another reader would not.
"""

from __future__ import annotations

from typing import Any

_MAX_DEPTH = 16
# A file of 785 columns has 6,000 for each of its row groups.
_MAX_STRUCTS = 100_000
_MAX_FIELD = 32_767
# No file is larger, and two of them are still a place in a file.
_MAX_COUNT = 1 << 60
_TRUE, _FALSE, _BYTE, _I64, _DOUBLE, _BINARY, _LIST, _SET, _STRUCT = 1, 2, 3, 6, 7, 8, 9, 10, 12
_DAMAGED = "a header of its is damaged"

Struct = dict[int, Any]


class Compact:
    """Reads one struct; raises IndexError if it goes on after the last byte, ValueError if it is none."""

    def __init__(self, data: bytes) -> None:
        self._data, self.at, self._structs = data, 0, 0

    def struct(self, depth: int = 0) -> Struct:
        """Its fields by number: numbers, bytes, lists and structs."""
        self._structs += 1
        if depth > _MAX_DEPTH or self._structs > _MAX_STRUCTS:
            raise ValueError("its headers hold more than may be")
        fields: Struct = {}
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._integer()
            if number in fields or not 0 < number <= _MAX_FIELD:
                raise ValueError(_DAMAGED)
            fields[number] = self._value(head & 15, depth)
        return fields

    def _value(self, kind: int, depth: int) -> Any:
        if _BYTE < kind <= _I64:
            return self._integer()
        if kind == _STRUCT:
            return self.struct(depth + 1)
        if kind in (_LIST, _SET):
            return self._list(depth)
        if kind in (_TRUE, _FALSE):
            return kind == _TRUE
        if kind == _BYTE:
            return self._byte()
        if kind in (_DOUBLE, _BINARY):
            return self.take(8 if kind == _DOUBLE else self.varint())
        raise ValueError(_DAMAGED)

    def _list(self, depth: int) -> list[Any]:
        if depth > _MAX_DEPTH:
            raise ValueError(_DAMAGED)
        head = self._byte()
        # A flag in a list has a byte of its own.
        kind = _BYTE if head & 15 <= _FALSE else head & 15
        count = head >> 4 if head >> 4 < 15 else self.varint()
        return [self._value(kind, depth + 1) for _ in range(count)]

    def take(self, size: int) -> bytes:
        """The next bytes."""
        self.at += size
        if self.at > len(self._data):
            raise IndexError
        return self._data[self.at - size : self.at]

    def _byte(self) -> int:
        self.at += 1
        return self._data[self.at - 1]

    def varint(self) -> int:
        """A number from 0, seven bits a byte."""
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value
            if shift > 63:
                raise ValueError(_DAMAGED)

    def _integer(self) -> int:
        """Zigzag: 0, -1, 1, -2, …"""
        value = self.varint()
        return (value >> 1) ^ -(value & 1)


def count(fields: Struct, number: int) -> int:
    """A field that is a number, not below 0; raises ValueError for another, and if there is none."""
    value = fields.get(number)
    if type(value) is not int or not 0 <= value <= _MAX_COUNT:
        raise ValueError(_DAMAGED)
    return value


def inner(fields: Struct, number: int) -> Struct:
    """A field that is a struct; raises ValueError for another, and if there is none."""
    return _checked(fields.get(number))


def structs(fields: Struct, number: int) -> list[Struct]:
    """A field that is a list of structs; raises ValueError for another, and if there is none."""
    if isinstance(found := fields.get(number), list):
        return [_checked(one) for one in found]
    raise ValueError(_DAMAGED)


def _checked(value: Any) -> Struct:
    if isinstance(value, dict):
        return value
    raise ValueError(_DAMAGED)
