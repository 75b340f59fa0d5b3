"""Which columns of a Parquet file are the labels and the images, by their names and types."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

import pyarrow as pa

from digits.datasets.array_names import IMAGES, LABELS, known_names, roles_of
from digits.datasets.parquet_files.types import is_number, is_picture
from digits.pixels import PIXELS_PER_IMAGE

# pixel783, 28x28, px_17; pandas' __index_level_0__ is none of these.
_NUMBERED = re.compile(r"\D{0,60}(\d{1,9})(?:x(\d{1,9}))?")
_LIKENESS = 0.75
# A file may have 20,000 columns.
_COMPARED = 100


@dataclass(frozen=True)
class Columns:
    """`images` is one column, or 784 of a number each, row by row of a picture; "" for no labels."""

    labels: str
    images: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        """Those of the images and that of the labels."""
        return (*self.images, self.labels)

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
    numbered = sorted(
        (name for name in names if _NUMBERED.fullmatch(name) and is_number(schema.field(name).type)),
        key=_place,
    )
    roles = roles_of(name for name in names if name not in numbered)
    found = {kind: name for (_, kind), name in roles.by_role.items()}
    rivals = [f"{one} and {other} may both be meant: leave one of them out" for one, other in roles.rivals]
    if len(roles.by_role) > len(found):
        rivals.append(f"{', '.join(roles.by_role.values())} cannot be one batch: write a file of each part")
    if rivals:
        raise NoColumns(*rivals)
    return _checked(schema, found, numbered)


def _checked(schema: pa.Schema, found: dict[str, str], numbered: list[str]) -> Columns:
    labels, images = found.get(LABELS, ""), found.get(IMAGES, "")
    if not images and not labels and len(numbered) == PIXELS_PER_IMAGE + 1:
        labels, *numbered = numbered
    faults = []
    if labels and not is_number(schema.field(labels).type):
        faults.append(f"{labels} must be integers 0 to 9, but is {schema.field(labels).type}")
    if images and not is_picture(schema.field(images).type):
        kinds = "lists of numbers, or bytes, or a struct with bytes"
        faults.append(f"{images} must be {kinds}, but is {_shown(schema.field(images).type)}")
    if not images and len(numbered) != PIXELS_PER_IMAGE:
        near = f", and {len(numbered)} are numbered as pixels are" if numbered else _near(schema, IMAGES)
        faults.append(
            f"there is no column of images{near}; allowed are image (or x, pixels, data), or "
            f"{PIXELS_PER_IMAGE} columns, pixel0 to pixel783"
        )
    if faults:
        raise NoColumns(*faults)
    return Columns(labels, (images,) if images else tuple(numbered))


def no_labels(schema: pa.Schema) -> str:
    """What is said of a file without labels."""
    return f"there is no column of labels{_near(schema, LABELS)}; allowed are label, y, target or digit"


def _near(schema: pa.Schema, kind: str) -> str:
    for name in schema.names[:_COMPARED]:
        if near := difflib.get_close_matches(name.lower(), known_names(kind), 1, _LIKENESS):
            return f" ({name!r} is not {near[0]!r})"
    return ""


def _place(name: str) -> tuple[int, ...]:
    """Where a column is in a picture: pixel10 is after pixel9, 2x1 after 1x28."""
    match = _NUMBERED.fullmatch(name)
    return tuple(int(number) for number in match.groups() if number) if match else ()


def _shown(kind: pa.DataType) -> str:
    """A type in few words: it may be nested hundreds of times."""
    return str(kind)[:60]
