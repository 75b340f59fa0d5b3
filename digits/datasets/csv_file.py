"""Reads CSV as Kaggle has MNIST: a digit and its 784 pixels a line, with or without a heading."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO

import numpy as np

from digits.datasets.array_names import part_of
from digits.datasets.arrays import Rows
from digits.datasets.findings import CSV
from digits.datasets.intake import Intake
from digits.datasets.shards import reading
from digits.datasets.source import Source
from digits.datasets.unpacking import ratio_fault
from digits.errors import InvalidInput
from digits.file_kinds import kind_of
from digits.pixels import CLASSES, PIXELS_PER_IMAGE, Pixels

# 784 pixels of up to 20 characters and their commas.
MAX_LINE_BYTES = 32 << 10

_COLUMNS = PIXELS_PER_IMAGE + 1
# Half a megabyte of text becomes numbers at once.
_LINES_AT_ONCE = 256


def looks_like_csv(head: bytes) -> bool:
    """Whether a file begins with many short words between commas."""
    words = head.partition(b"\n")[0].split(b",")
    return len(words) > 50 and all(len(word) <= 32 for word in words)


def read_csv(source: Source, intake: Intake) -> None:
    """Hands one file's images to the intake, or what keeps them from being a batch."""
    intake.findings.right = CSV
    try:
        with reading(source.name, source.field):
            reader = _Reader(source)
            if reader.columns == PIXELS_PER_IMAGE:
                intake.findings.note(source.name, "not used: it has no label column")
                return
            if not intake.next_file(source.name):
                # How many lines there are nobody knows who has not read them.
                intake.leave_unread(part_of(source.name), 0)
                return
            labels = reader.labels(intake)
    except InvalidInput as error:
        intake.findings.fault(error.problem)
        return
    if labels is not None:
        intake.findings.note(source.name, f"{len(labels):,} lines of a label and {PIXELS_PER_IMAGE} pixels")
        intake.take(part_of(source.name), source.name, labels, reader.rows, len(labels) * _COLUMNS)


class _Reader:
    """A heading that is no number is left out. Raises ValueError unless a line has 785 numbers (or 784)."""

    def __init__(self, source: Source) -> None:
        self._source = source
        with source.unpacked() as stream:
            lines = [_line(stream) for _ in range(_LINES_AT_ONCE)]
        first, second = [*(line for line in lines if line.strip()), b"", b""][:2]
        if kind := kind_of(first):
            raise ValueError(f"it is not CSV, but {kind}")
        self._has_heading = not _is_number(first.split(b",")[0])
        line = second if self._has_heading else first
        self.columns = line.count(b",") + 1 if line.strip() else 0
        if self.columns not in (_COLUMNS, PIXELS_PER_IMAGE):
            found = f"{self.columns} columns, {_shown(first)}"
            raise ValueError(f"it must have {_COLUMNS} columns (label, pixel0 to pixel783), but has {found}")
        if self._has_heading and b"label" not in first.lower() and self.columns == _COLUMNS:
            raise ValueError(f"its first column must be the label, but the heading is {_shown(first)}")
        self._type = np.float32 if b"." in line else np.int64

    def labels(self, intake: Intake) -> Pixels | None:
        """The first column whole; None, and a fault, if the images are more than may be."""
        columns: list[Pixels] = []
        count = 0
        for lines in self._lines():
            count += len(lines)
            if not intake.has_room(self._source.name, count * _COLUMNS):
                return None
            if fault := ratio_fault(count * _COLUMNS, self._source.size()):
                raise ValueError(fault)
            digits = [_digit(line) for line in lines]
            if None in digits:
                at = digits.index(None)
                image = count - len(lines) + at + 1
                problem = f"that of image {image:,} is {_shown(_label(lines[at]))}"
                raise ValueError(f"the label column must hold the digits 0 to 9, but {problem}")
            columns.append(np.array(digits, np.uint8))
        return np.concatenate(columns) if columns else np.empty(0, np.uint8)

    def rows(self) -> Iterator[Rows]:
        """Yields the pixels, (n, 784) of int64 or float32; raises InvalidInput for what is no number."""
        for lines in self._lines():
            with reading(self._source.name, self._source.field):
                values = self._values(lines)
            yield values

    def _values(self, lines: list[bytes]) -> Rows:
        text = b",".join(lines).replace(b'"', b"")
        try:
            values = np.fromstring(text, self._type, sep=",")
        except (ValueError, DeprecationWarning):
            values = np.empty(0)
        if len(values) != len(lines) * _COLUMNS or any(
            line.count(b",") != self.columns - 1 for line in lines
        ):
            raise ValueError(f"a line is not {_COLUMNS} numbers between commas")
        return values.reshape(-1, _COLUMNS)[:, 1:]

    def _lines(self) -> Iterator[list[bytes]]:
        with reading(self._source.name, self._source.field):
            stream = self._source.unpacked()
        with stream:
            if self._has_heading:
                _line(stream)
            while True:
                with reading(self._source.name, self._source.field):
                    lines = [_line(stream) for _ in range(_LINES_AT_ONCE)]
                if filled := [line for line in lines if line.strip()]:
                    yield filled
                elif lines[0]:
                    # Packed, nothing but line ends would take hours.
                    raise InvalidInput(
                        self._source.field, f"{self._source.name} holds hundreds of empty lines"
                    )
                if not lines[-1]:
                    return


def _line(stream: IO[bytes]) -> bytes:
    line = stream.readline(MAX_LINE_BYTES)
    if len(line) == MAX_LINE_BYTES:
        raise ValueError(f"a line is longer than {MAX_LINE_BYTES:,} characters")
    return line.removeprefix(b"\xef\xbb\xbf")


def _label(line: bytes) -> bytes:
    return line.partition(b",")[0].strip(b' "\r\n\t')


def _digit(line: bytes) -> int | None:
    """A line's label, which may be written as 5, 5.0 or 5e0; None if it is no digit."""
    try:
        value = float(_label(line))
    except ValueError:
        return None
    return int(value) if 0 <= value < CLASSES and value.is_integer() else None


def _is_number(word: bytes) -> bool:
    return re.fullmatch(rb'\s*"?[-+]?\d+(\.\d*)?"?\s*', word) is not None


def _shown(line: bytes) -> str:
    return repr(line[:60].decode(errors="replace").strip())
