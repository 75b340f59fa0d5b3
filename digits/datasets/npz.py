"""Reads npz files, as numpy.savez writes them: nothing is unpickled, and pixels stay in their file."""

from __future__ import annotations

import io
import weakref
import zipfile
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from digits.datasets.array_names import IMAGES, LABELS, Role, Roles, roles_of, usual_name
from digits.datasets.arrays import StoredArray
from digits.datasets.findings import PICTURES, are_pictures
from digits.datasets.intake import Intake
from digits.datasets.shards import read_exactly, reading
from digits.datasets.source import Source
from digits.datasets.unpacking import ratio_fault
from digits.errors import InvalidInput
from digits.file_kinds import kind_of

# numpy refuses longer headers itself, but only after it has read them.
MAX_HEADER_BYTES = 16 << 10
# zipfile keeps about 500 bytes a member; a batch has four.
MAX_MEMBERS = 10_000
# It reads what says of all of them where they are in one piece.
_MAX_DIRECTORY_BYTES = 2 << 20


def read_npz(source: Source, intake: Intake) -> None:
    """Hands the arrays of one npz file to the intake, or whatever keeps them from being a batch."""
    try:
        with reading(source.name, source.field):
            _check_members(source)
        with reading(source.name, source.field), _opened(source) as archive:
            _Reader(source, archive, intake).read()
    except InvalidInput as error:
        intake.findings.fault(error.problem)


class _Reader:
    def __init__(self, source: Source, archive: zipfile.ZipFile, intake: Intake) -> None:
        self._source, self._archive, self._intake = source, archive, intake
        self._content = intake.next_file(source.name)
        self._members = {
            name.removesuffix(".npy"): name for name in archive.namelist() if not name.endswith("/")
        }

    def read(self) -> None:
        roles = roles_of(self._members)
        for one, other in roles.rivals:
            self._intake.findings.fault(
                f"{one} and {self._title(other)} may both be meant: leave one of them out"
            )
        self._intake.findings.unused([self._title(name) for name in roles.unknown])
        arrays = {role: self._array(name) for role, name in roles.by_role.items()}
        for part in dict.fromkeys(part for part, _ in arrays):
            self._read_pair(part, roles, arrays)
        if not arrays:
            self._say_what_is_missing(list(self._members))

    def _read_pair(self, part: str, roles: Roles, arrays: dict[Role, StoredArray | None]) -> None:
        both = [(part, IMAGES), (part, LABELS)]
        for role in both:
            if role not in arrays:
                self._intake.findings.fault(f"{self._title(usual_name(role))} is missing")
        images, labels = (arrays.get(role) for role in both)
        if images is not None and labels is not None:
            self._say_names(roles, both)
            self._intake.pair(part, images, labels, self._content)

    def _say_names(self, roles: Roles, both: list[Role]) -> None:
        for role in both:
            if roles.by_role[role] != usual_name(role):
                self._intake.findings.note(self._title(roles.by_role[role]), f"taken as {usual_name(role)}")

    def _say_what_is_missing(self, names: list[str]) -> None:
        self._intake.findings.fault(f"{self._title('x_train')} is missing, and y_train")
        if are_pictures(names):
            self._intake.findings.right = PICTURES
        held = ", ".join(sorted(names)[:8]) or "nothing"
        self._intake.findings.found(f"{held} in {self._source.name}")

    def _array(self, name: str) -> StoredArray | None:
        try:
            with reading(self._title(name), self._source.field):
                array = _stored(self._archive.getinfo(self._members[name]), self._archive, self._source)
        except InvalidInput as error:
            self._intake.findings.fault(error.problem)
            return None
        array = replace(array, name=name, title=self._title(name))
        self._intake.findings.found(array.described)
        return array

    def _title(self, array: str) -> str:
        return f"{array[:100]} of {self._source.name}"


class _Directory:
    """A zip of which zipfile reads no more at a time than the directory of a batch."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.seek, self.tell = file.seek, file.tell

    def read(self, count: int = -1) -> bytes:
        limit = _MAX_DIRECTORY_BYTES + 1
        data = self._file.read(min(count, limit) if count >= 0 else limit)
        if len(data) == limit:
            raise ValueError(f"it holds more than {MAX_MEMBERS} files")
        return data


def _check_members(source: Source) -> None:
    """Raises ValueError for more than may be. What is no zip is said when it is opened."""
    with source.open() as file, suppress(zipfile.BadZipFile):
        if len(zipfile.ZipFile(_Directory(file)).namelist()) > MAX_MEMBERS:
            raise ValueError(f"it holds more than {MAX_MEMBERS} files")


def _opened(source: Source) -> zipfile.ZipFile:
    file = source.open()
    try:
        archive = zipfile.ZipFile(file)
    except zipfile.BadZipFile as error:
        file.close()
        head = source.head()
        kind = None if head.startswith(b"PK") else kind_of(head)
        problem = f", but {kind}" if kind else ", or is cut short"
        raise InvalidInput(
            source.field, f"{source.name} is not an npz file (a zip of arrays){problem}"
        ) from error
    # It closes a file that it opened, and none that it was given.
    weakref.finalize(archive, file.close)
    return archive


@dataclass(frozen=True)
class _Member:
    """Where an array's values are."""

    source: Source
    member: str
    header_bytes: int

    def open(self) -> IO[bytes]:
        with _opened(self.source) as archive:
            stream = archive.open(self.member)
        read_exactly(stream, self.header_bytes)
        return stream


def _stored(info: zipfile.ZipInfo, archive: zipfile.ZipFile, source: Source) -> StoredArray:
    """What a member of the zip says of itself; raises ValueError for what is not to be read."""
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError("only stored and deflated members are allowed")
    if fault := ratio_fault(info.file_size, info.compress_size):
        raise ValueError(fault)
    with archive.open(info) as stream:
        head = io.BytesIO(stream.read(MAX_HEADER_BYTES))
    shape, fortran_order, dtype = _header(head)
    member = _Member(source, info.filename, head.tell())
    array = StoredArray(info.filename, info.filename, source.field, shape, dtype, member.open)
    if dtype.hasobject:
        raise ValueError(f"it holds pickled objects, which are never read; save plain numbers{_plain(info)}")
    if fortran_order and len(shape) > 1:
        raise ValueError("it is in Fortran order; save numpy.ascontiguousarray of it")
    if min(shape, default=0) < 0 or head.tell() + array.byte_count != info.file_size:
        raise ValueError("it is not as long as its header says")
    return array


def _plain(info: zipfile.ZipInfo) -> str:
    name = info.filename.removesuffix(".npy")[:100]
    return f": {name} = numpy.array({name}.tolist())"


def _header(head: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether the order is Fortran's, and type; raises ValueError for what numpy.save never writes."""
    try:
        version = npy.read_magic(head)
        return npy.read_array_header_1_0(head) if version == (1, 0) else npy.read_array_header_2_0(head)
    except Exception as error:  # numpy lets through whatever its parsers raise, TokenError among others.
        raise ValueError("its header is not one that numpy writes") from error
