"""What opening a batch comes to: its shards, what is said of them, and all that is wrong in one answer."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import numpy as np

from digits.datasets.array_names import TEST, TRAIN, VALIDATION
from digits.datasets.arrays import Rows, StoredArray
from digits.datasets.ink import Ink
from digits.datasets.labels import digits_of, label_faults, label_note
from digits.datasets.shards import Shard, reading
from digits.errors import InvalidInput
from digits.pixels import Pixels

# The first 8,192 pictures, of which so many are looked at: 20 ms of a packed file, whatever its size.
SAMPLED_FROM = 8192
SAMPLE = 1024
# An answer's details must fit into the trailers of gRPC, 8 KB; more faults than these repeat themselves.
MAX_FAULTS = 8
MAX_FAULT_CHARACTERS = 300
MAX_NOTES = 20

_EXAMPLE = (
    'numpy.savez_compressed("batch.npz", x_train=x, y_train=y), x (N, 28, 28), 0 for paper to 255 for ink, '
    "y (N,), the digits 0 to 9"
)


class Intake:
    """Takes the arrays of a batch, file after file; `shards` raises what was wrong with any of them."""

    def __init__(self, field: str, byte_limit: int, transposed: bool = False) -> None:
        self.field, self._byte_limit, self._transposed = field, byte_limit, transposed
        self._shards: dict[str, list[Shard]] = {TRAIN: [], TEST: [], VALIDATION: []}
        self._seen: dict[str, str] = {}
        self._faults: list[str] = []
        self._found: list[str] = []
        self._notes: dict[str, list[str]] = {}
        self.bytes_left = byte_limit

    def fault(self, problem: str) -> None:
        """Keeps what is wrong, for the one answer."""
        self._faults.append(problem[:MAX_FAULT_CHARACTERS])

    def found(self, what: str) -> None:
        """Keeps what a file holds, for the answer that says what is wrong."""
        self._found.append(what)

    def note(self, what: str, said: str) -> None:
        """Keeps what was accepted of `what`, an array or a file, though it is not as described."""
        self._notes.setdefault(said, []).append(what)

    def pair(self, part: str, images: StoredArray, labels: StoredArray) -> None:
        """Takes images with their labels, or keeps every fault that they have."""
        image_faults, faults = images.image_faults(), label_faults(labels)
        if len(images) != len(labels):
            faults.append(
                f"{images.title} holds {len(images)} images but {labels.title} {len(labels)} labels"
            )
        for fault in image_faults + faults:
            self.fault(fault)
        byte_count = images.byte_count + labels.byte_count
        if not self._fits(images.title, byte_count):
            return
        digits = None if faults else self._digits(labels)
        if image_faults:
            return
        if digits is None:
            digits = np.zeros(len(images), np.uint8)
        if self.take(part, images.title, digits, images.rows, byte_count):
            if note := images.image_note():
                self.note(images.title, note)
            if note := label_note(labels):
                self.note(*note.split(": ", 1))

    def take(
        self, part: str, title: str, labels: Pixels, rows: Callable[[], Iterator[Rows]], byte_count: int
    ) -> bool:
        """Takes (N, 784) values with their digits, unless the same were taken before; says whether it did."""
        try:
            sample = _sample(rows, len(labels))
            ink = Ink.of(sample, self._transposed)
        except InvalidInput as error:
            self.fault(error.problem)
            return False
        except ValueError as error:
            self.fault(f"{title} {error}")
            return False
        fingerprint = hashlib.sha256(sample.tobytes() + labels.tobytes()).hexdigest()
        if fingerprint in self._seen:
            self.note(title, f"not used: the same images as {self._seen[fingerprint]}")
            return False
        self._seen[fingerprint] = title
        for said in ink.notes(sample):
            self.note(title, said)
        chunks = _converted(rows, ink, title, self.field)
        self.bytes_left -= byte_count
        self._shards[part].append(Shard(title, self.field, labels, chunks, byte_count))
        return True

    def check_size(self, title: str, byte_count: int) -> bool:
        """Whether a file's values fit into what is left of the limit; keeps the fault if not."""
        return self._fits(title, byte_count)

    def shards(self) -> tuple[list[Shard], list[Shard]]:
        """Those to train on, at least one, and those to hold out; raises InvalidInput with all the faults."""
        train, test, validation = self._shards[TRAIN], self._shards[TEST], self._shards[VALIDATION]
        if not train and not self._faults:
            self.fault("there is nothing to train on: x_train and y_train are missing")
        if self._faults:
            raise InvalidInput(self.field, self._answer())
        if not test and validation:
            for shard in validation:
                self.note(shard.name, "held out")
            return train, validation
        for shard in validation:
            self.note(shard.name, "not used: the test images are held out")
        return train, test

    def notes(self) -> list[str]:
        """What was accepted and is said, a sentence each."""
        return [f"{_names(names)}: {said}" for said, names in self._notes.items()][:MAX_NOTES]

    def _digits(self, labels: StoredArray) -> Pixels | None:
        try:
            return digits_of(labels)
        except ValueError as error:
            self.fault(str(error))
        except InvalidInput as error:
            self.fault(error.problem)
        return None

    def _fits(self, title: str, byte_count: int) -> bool:
        if byte_count <= self.bytes_left:
            return True
        self.fault(
            f"{title} unpacks to {byte_count:,} bytes; at most {self._byte_limit:,} are allowed for a batch"
        )
        return False

    def _answer(self) -> str:
        faults = self._faults[:MAX_FAULTS]
        if len(self._faults) > MAX_FAULTS:
            faults.append(f"and {len(self._faults) - MAX_FAULTS} more")
        found = f". Found: {_names(self._found)}" if self._found else ""
        return f"{'; '.join(faults)}{found}. Right is: {_EXAMPLE}"


def unused(intake: Intake, names: Iterable[str]) -> None:
    """Says of files or arrays that nobody knows what they are."""
    for name in names:
        intake.note(name, "not used")


def _converted(
    rows: Callable[[], Iterator[Rows]], ink: Ink, title: str, field: str
) -> Callable[[], Iterator[Pixels]]:
    def chunks() -> Iterator[Pixels]:
        for values in rows():
            with reading(title, field):
                pixels = ink.pixels(values)
            yield pixels

    return chunks


def _sample(rows: Callable[[], Iterator[Rows]], count: int) -> Rows:
    """At most 1,024 of the first 8,192 rows, evenly spread."""
    step = max(1, min(count, SAMPLED_FROM) // SAMPLE)
    taken: list[Rows] = []
    seen = 0
    for values in rows():
        taken.append(values[-seen % step :: step])
        seen += len(values)
        if seen >= SAMPLED_FROM:
            break
    return np.concatenate(taken)[:SAMPLE]


def _names(names: list[str]) -> str:
    shown = [name[:100] for name in islice(names, 4)]
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return ", ".join(shown) + more
