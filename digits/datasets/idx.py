"""Reads IDX files, which MNIST, EMNIST and QMNIST are published as (yann.lecun.com/exdb/mnist)."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import IO, Any

import numpy as np

from digits.datasets.array_names import IMAGES, LABELS, TEST, TRAIN
from digits.datasets.arrays import StoredArray
from digits.datasets.findings import IDX
from digits.datasets.intake import Intake
from digits.datasets.shards import read_exactly, reading
from digits.datasets.source import Source
from digits.datasets.unpacking import ratio_fault
from digits.errors import InvalidInput
from digits.file_kinds import kind_of

# train-images-idx3-ubyte.gz, t10k-labels.idx1-ubyte, emnist-digits-test-images-idx3-ubyte,
# qmnist-test-labels-idx2-int.
_NAME = re.compile(
    r"(?P<set>.*?)[-_.]?(?P<part>train|t10k|test)[-_.](?P<kind>images|labels)"
    r"[-_.]idx\d(?:[-_.]?(?:ubyte|int))?(?:\.gz)?",
    re.IGNORECASE,
)
# The third byte names the type of the values, which are big-endian.
_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}

_QMNIST_COLUMNS = 8
_AS_DISTRIBUTED = (
    "distributed with rows and columns swapped; unless yours are not, send orientation TRANSPOSED"
)


@dataclass(frozen=True)
class IdxName:
    """What a file's name says: of which data set, "train" or "test", "images" or "labels"."""

    data_set: str
    part: str
    kind: str

    @classmethod
    def of(cls, name: str) -> IdxName | None:
        """None for a name that is no IDX file's."""
        match = _NAME.fullmatch(name)
        if match is None:
            return None
        part = TRAIN if match["part"].lower() == "train" else TEST
        return cls(match["set"].lower(), part, match["kind"].lower())


def read_idx(files: Mapping[str, Source], intake: Intake) -> None:
    """Hands the pairs of files to the intake, or what keeps them from being a batch."""
    intake.findings.right = IDX
    chosen: dict[IdxName, Source] = {}
    for name in sorted(files):
        role = IdxName.of(name)
        if role in chosen:
            intake.findings.note(name, f"not used: {chosen[role].name} is")
        elif role:
            chosen[role] = files[name]
    sets = sorted({role.data_set for role in chosen})
    if len(sets) > 1:
        intake.findings.fault(
            f"holds the files of several data sets, {', '.join(sets)}: keep one in a folder"
        )
        return
    if sets[0].startswith("emnist") and not intake.transposed:
        intake.findings.note("EMNIST", _AS_DISTRIBUTED)
    for part in (TRAIN, TEST):
        _read_part(part, sets[0], chosen, intake)


def _read_part(part: str, data_set: str, files: Mapping[IdxName, Source], intake: Intake) -> None:
    images, labels = (files.get(IdxName(data_set, part, kind)) for kind in (IMAGES, LABELS))
    if images is None and labels is None:
        if part == TRAIN:
            intake.findings.fault("train-images-idx3-ubyte is missing, and train-labels-idx1-ubyte")
        return
    if images is None or labels is None:
        intake.findings.fault(f"{_partner(images or labels)} is missing")
        return
    pair = _array(images, intake), _array(labels, intake)
    if pair[0] is not None and pair[1] is not None:
        intake.pair(part, pair[0], _digit_column(pair[1]))


def _partner(there: Source | None) -> str:
    """The name of the file that belongs to one."""
    name = there.name.removesuffix(".gz") if there else ""
    to_labels, to_images = (("images", "labels"), ("idx3", "idx1")), (("labels", "images"), ("idx1", "idx3"))
    for old, new in to_labels if "images" in name else to_images:
        name = name.replace(old, new)
    return name


def _array(source: Source, intake: Intake) -> StoredArray | None:
    try:
        with reading(source.name, source.field), source.unpacked() as stream:
            array = _stored(source, stream)
    except InvalidInput as error:
        intake.findings.fault(error.problem)
        return None
    intake.findings.found(array.described)
    return array


def _stored(source: Source, stream: IO[bytes]) -> StoredArray:
    shape, dtype = _header(stream)
    header_bytes = 4 + 4 * len(shape)

    def open_values() -> IO[bytes]:
        opened = source.unpacked()
        read_exactly(opened, header_bytes)
        return opened

    array = StoredArray(source.name, source.name, source.field, shape, dtype, open_values)
    if source.is_gzip() and (fault := ratio_fault(array.byte_count, source.size())):
        raise ValueError(fault)
    if not source.is_gzip() and source.size() != header_bytes + array.byte_count:
        expected = f"{shape} of {dtype.name} are {header_bytes + array.byte_count:,} bytes"
        raise ValueError(f"it is not as long as its header says: {expected}, but it has {source.size():,}")
    return array


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """The dimensions and the type; raises ValueError for what is no IDX file, and names it if it can."""
    head = stream.read(4)
    if len(head) < 4 or head[:2] != b"\0\0" or head[2] not in _TYPES or not 1 <= head[3] <= 4:
        kind = kind_of(head + stream.read(1024))
        raise ValueError(f"it is not an IDX file{f', but {kind}' if kind else ''}")
    return struct.unpack(f">{head[3]}I", read_exactly(stream, 4 * head[3])), np.dtype(_TYPES[head[2]])


def _digit_column(labels: StoredArray) -> StoredArray:
    """QMNIST's labels say who wrote a digit as well, in seven more columns."""
    return replace(labels, only_first=labels.shape[1:] == (_QMNIST_COLUMNS,))
