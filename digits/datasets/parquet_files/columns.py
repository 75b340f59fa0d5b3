"""Which columns of a Parquet file are the labels and the images, by their names and types."""

from __future__ import annotations

import difflib
import itertools
import re
from collections import defaultdict
from dataclasses import dataclass

import pyarrow as pa
from pyarrow import types

from digits.datasets.array_names import IMAGES, LABELS, known_names, roles_of
from digits.pixels import PIXELS_PER_IMAGE, SIDE

# pixel783, 28x28, px_17.
_NUMBERED = re.compile(r"(?P<stem>.{0,60}?)(?P<row>\d{1,3})(?:x(?P<column>\d{1,3}))?")
_LIKENESS = 0.75
# A file may have 20,000 columns.
_COMPARED = 100


@dataclass(frozen=True)
class Columns:
    """`images` is one column, or 784 of a number each, row by row of a picture; "" for no labels."""

    labels: str
    images: tuple[str, ...]

    def __str__(self) -> str:
        of_images = self.images[0] if len(self.images) == 1 else f"{self.images[0]} to {self.images[-1]}"
        return f"{self.labels[:40]} and {of_images[:80]}"


class NoColumns(Exception):
    """A file's columns are not those of a batch: all that is wrong with them."""

    def __init__(self, *faults: str) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


def columns_of(schema: pa.Schema) -> Columns:
    """Finds the columns by their names and types; raises NoColumns."""
    names = list(schema.names)
    if len(set(names)) < len(names):
        raise NoColumns("two columns have one name")
    numbered = _numbered(schema)
    roles = roles_of(names)
    found = {kind: name for (_, kind), name in roles.by_role.items()}
    rivals = [f"{one} and {other} may both be meant: leave one of them out" for one, other in roles.rivals]
    if len(roles.by_role) > len(found):
        rivals.append(f"{', '.join(roles.by_role.values())} cannot be one batch: write a file of each part")
    whole = [group for group in numbered if len(group) >= PIXELS_PER_IMAGE]
    if IMAGES not in found and len(whole) > 1:
        rivals.append(f"{' and '.join(group[0] for group in whole)} may both be the first pixel")
    if rivals:
        raise NoColumns(*rivals)
    return _checked(schema, found, numbered[0] if numbered else [])


def no_labels(schema: pa.Schema) -> str:
    """What is said of a file without labels."""
    return (
        f"there is no column of labels{_near(schema, LABELS)}; allowed are label, y, target, digit or class"
    )


def is_bytes(kind: pa.DataType) -> bool:
    """A picture's file a row, or its pixels."""
    return any(
        is_such(kind) for is_such in (types.is_binary, types.is_large_binary, types.is_fixed_size_binary)
    )


def is_list(kind: pa.DataType) -> bool:
    """A list of anything a row."""
    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))


def _checked(schema: pa.Schema, found: dict[str, str], numbered: list[str]) -> Columns:
    labels, images = found.get(LABELS, ""), found.get(IMAGES, "")
    if not images and not labels and len(numbered) == PIXELS_PER_IMAGE + 1 and numbered[0].isdecimal():
        labels, *numbered = numbered
    faults = []
    if labels and not _is_label(schema.field(labels).type):
        faults.append(f"{labels} must be integers 0 to 9, but is {_shown(schema.field(labels).type)}")
    if images and not _is_picture(schema.field(images).type):
        kinds = "lists of numbers, or bytes, or a struct with bytes"
        faults.append(f"{images} must be {kinds}, but is {_shown(schema.field(images).type)}")
    if not images and len(numbered) != PIXELS_PER_IMAGE:
        near = (
            f", and {numbered[0]} is one of {len(numbered)}"
            if len(numbered) > SIDE
            else _near(schema, IMAGES)
        )
        faults.append(
            f"there is no column of images{near}; allowed are image (or x, pixels, data), or "
            f"{PIXELS_PER_IMAGE} columns, pixel0 to pixel783"
        )
    if faults:
        raise NoColumns(*faults)
    return Columns(labels, (images,) if images else tuple(numbered))


def _numbered(schema: pa.Schema) -> list[list[str]]:
    """The columns that are numbered as pixels are, in their order, apart by what their names begin with.

    label1 is no pixel beside pixel0, and an index none. After a gap nothing counts.
    """
    groups: dict[tuple[str, int], dict[tuple[int, ...], str]] = defaultdict(dict)
    for name, kind in zip(schema.names, schema.types, strict=True):
        if _is_number(kind) and (match := _NUMBERED.fullmatch(name)):
            place = tuple(int(number) for number in match.group("row", "column") if number)
            other = groups[match["stem"], len(place)].setdefault(place, name)
            if other != name:
                raise NoColumns(f"{other} and {name} may both be the same pixel: leave one of them out")
    return sorted(filter(None, map(_without_gap, groups.values())), key=len, reverse=True)


def _without_gap(group: dict[tuple[int, ...], str]) -> list[str]:
    """Those from 0 or 1, or from 0x0 or 1x1, to the first that is missing."""
    first = min(group)
    side = range(first[0], first[0] + SIDE)
    places = (
        itertools.product(side, repeat=2) if len(first) == 2 else ((at,) for at in itertools.count(first[0]))
    )
    there = itertools.takewhile(group.__contains__, places) if max(first) <= 1 else ()
    return [group[place] for place in there]


def _near(schema: pa.Schema, kind: str) -> str:
    for name in schema.names[:_COMPARED]:
        if near := difflib.get_close_matches(name[:_COMPARED].lower(), known_names(kind), 1, _LIKENESS):
            return f" ({name!r} is not {near[0]!r})"
    return ""


def _is_number(kind: pa.DataType) -> bool:
    return bool(types.is_integer(kind) or types.is_floating(kind))


def _is_label(kind: pa.DataType) -> bool:
    """A number, or a text of one; pandas' categories are either."""
    if types.is_dictionary(kind):
        return _is_label(kind.value_type)
    return _is_number(kind) or bool(types.is_string(kind) or types.is_large_string(kind))


def _is_picture(kind: pa.DataType) -> bool:
    """Lists of numbers, bytes, or a struct with bytes, as Hugging Face has pictures."""
    if types.is_struct(kind):
        return "bytes" in kind.names and is_bytes(kind.field("bytes").type)
    inner = kind
    while is_list(inner):
        inner = inner.value_type
    return is_bytes(kind) or (is_list(kind) and _is_number(inner))


def _shown(kind: pa.DataType) -> str:
    """A type in few words: it may be nested hundreds of times."""
    return str(kind)[:60]
