"""Takes the arrays of a batch, checks them and decides how their pixels are read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from digits.datasets.array_names import TEST, TRAIN, VALIDATION
from digits.datasets.arrays import Rows, StoredArray
from digits.datasets.findings import Findings
from digits.datasets.ink import Ink
from digits.datasets.labels import digits_of, label_faults, label_note
from digits.datasets.shards import Shard, reading
from digits.errors import InvalidInput
from digits.pixels import Pixels

# The first 4,096 pictures, of which so many are looked at: 10 ms of a packed file, whatever its size.
SAMPLED_FROM = 4096
SAMPLE = 1024

ReadRows = Callable[[], Iterator[Rows]]


@dataclass(frozen=True)
class _Taken:
    shard: Shard
    fingerprint: str


class Intake:
    """Takes array after array; `shards` raises what was wrong with any of them, all at once.

    After `max_files` no file's content is read, and none is taken: headers are looked at, as far as they go.
    """

    def __init__(
        self, field: str, byte_limit: int, transposed: bool = False, max_files: int | None = None
    ) -> None:
        self.field, self.findings = field, Findings()
        self._files_left = max_files
        self.unread: list[str] = []
        self._unread_parts: set[str] = set()
        self._byte_limit, self._bytes_left, self.transposed = byte_limit, byte_limit, transposed
        self._taken: dict[str, list[_Taken]] = {TRAIN: [], TEST: [], VALIDATION: []}

    def next_file(self, name: str) -> bool:
        """Counts a file; returns whether its content is read."""
        if self._files_left is None:
            return True
        self._files_left -= 1
        if self._files_left < 0:
            self.unread.append(name)
        return self._files_left >= 0

    def leave_unread(self, part: str, byte_count: int) -> None:
        """Counts what somebody else reads, as far as its header tells."""
        self._unread_parts.add(part)
        self._bytes_left -= byte_count

    def pair(self, part: str, images: StoredArray, labels: StoredArray, content: bool = True) -> None:
        """Takes images with their labels, or keeps every fault that they have.

        Without their `content` the headers alone are looked at, and nothing is taken.
        """
        of_images, of_labels = images.image_faults(), label_faults(labels)
        if len(images) != len(labels):
            counts = f"{len(images)} images but {labels.title} {len(labels)} labels"
            of_labels.append(f"{images.title} holds {counts}")
        for fault in of_images + of_labels:
            self.findings.fault(fault)
        byte_count = images.byte_count + labels.byte_count
        if not self.has_room(images.title, byte_count):
            return
        if not content:
            self.leave_unread(part, byte_count)
            return
        digits = None if of_labels else self._digits(labels)
        if of_images:
            return
        if digits is None:
            # The pixels' faults belong into the same answer.
            digits = np.zeros(len(images), np.uint8)
        for title, said in ((images.title, images.image_note()), (labels.title, label_note(labels))):
            if said:
                self.findings.note(title, said)
        self.take(part, images.title, digits, images.rows, byte_count)

    def take(self, part: str, title: str, labels: Pixels, rows: ReadRows, byte_count: int) -> None:
        """Takes rows of 784 values of any type with their digits, or keeps what is wrong with them."""
        try:
            step = max(1, min(len(labels), SAMPLED_FROM) // SAMPLE)
            sample = _sample(rows, step)
            with_ink = Ink.of(sample, self.transposed, step)
        except InvalidInput as error:
            self.findings.fault(error.problem)
            return
        except ValueError as error:
            self.findings.fault(f"{title} {error}")
            return
        for said in with_ink.notes(sample):
            self.findings.note(title, said)
        shard = Shard(title, self.field, labels, _converted(rows, with_ink, title, self.field))
        digest = hashlib.sha256(with_ink.pixels(sample).tobytes() + labels.tobytes())
        self._bytes_left -= byte_count
        self._taken[part].append(_Taken(shard, digest.hexdigest()))

    def has_room(self, title: str, byte_count: int) -> bool:
        """Whether so much fits into what is left of the limit; keeps the fault if not."""
        if byte_count <= self._bytes_left:
            return True
        allowed = f"at most {self._byte_limit:,} are allowed for a batch (DIGITS_MAX_DATASET_BYTES)"
        self.findings.fault(f"{title} unpacks to {byte_count:,} bytes; {allowed}")
        return False

    def shards(self) -> tuple[list[Shard], list[Shard]]:
        """Those to train on and those to hold out; raises InvalidInput with all the faults.

        Of those that were read perhaps none is to train on; of all of them one is.
        """
        if not self._taken[TRAIN] and TRAIN not in self._unread_parts and not self.findings.are_faulty():
            self.findings.fault("there is nothing to train on: x_train and y_train are missing")
        if self.findings.are_faulty():
            raise InvalidInput(self.field, self.findings.answer())
        seen: dict[str, str] = {}
        train, test, validation = (self._others(part, seen) for part in (TRAIN, TEST, VALIDATION))
        for shard in validation:
            self.findings.note(shard.name, "not used: the test images are held out" if test else "held out")
        return train, test or validation

    def _digits(self, labels: StoredArray) -> Pixels | None:
        try:
            return digits_of(labels)
        except ValueError as error:
            self.findings.fault(str(error))
        except InvalidInput as error:
            self.findings.fault(error.problem)
        return None

    def _others(self, part: str, seen: dict[str, str]) -> list[Shard]:
        """The shards of a part, but those whose images were seen before."""
        others = []
        for taken in self._taken[part]:
            name = taken.shard.name
            if taken.fingerprint in seen:
                self.findings.note(name, f"not used: the same images as {seen[taken.fingerprint]}")
            else:
                others.append(taken.shard)
            seen.setdefault(taken.fingerprint, name)
        return others


def _converted(rows: ReadRows, ink: Ink, title: str, field: str) -> Callable[[], Iterator[Pixels]]:
    def chunks() -> Iterator[Pixels]:
        start = 0
        for values in rows():
            with reading(title, field):
                pixels = ink.pixels(values, start)
            start += len(values)
            yield pixels

    return chunks


def _sample(rows: ReadRows, step: int) -> Rows:
    """Each `step`-th of the first 4,096 rows, at most 1,024."""
    taken: list[Rows] = []
    seen = 0
    for values in rows():
        # A copy: a view would keep the whole chunk.
        taken.append(values[-seen % step :: step].copy())
        seen += len(values)
        if seen >= SAMPLED_FROM:
            break
    return np.concatenate(taken)[:SAMPLE]
