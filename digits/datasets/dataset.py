"""Batches of labelled images, as a caller names or sends them: checked at once, read as a stream.

A batch is an npz file (x_train, y_train and perhaps x_test, y_test), a CSV file (a label and 784 pixels a
line), a Parquet file (a column of labels and one of images), a folder of such files, those of a folder that a
pattern names, or a folder of MNIST's IDX files.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digits.datasets.batch_files import NO_FILES, BatchFiles
from digits.datasets.discovery import take_file, take_files
from digits.datasets.files import Bytes, PlainFile
from digits.datasets.intake import Intake
from digits.datasets.matching import Batch
from digits.datasets.shards import Images, Shard
from digits.datasets.source import Source
from digits.errors import InvalidInput
from digits.pixels import PIXELS_PER_IMAGE, Pixels

# 51 MB: all of MNIST's training images, so that these are shuffled whole.
SHUFFLE_IMAGES = 65_536
# 800 KB a chunk: small beside the buffer, and few enough chunks that Python's share is small.
CHUNK_IMAGES = 1024
# Eleven and not ten: a batch in the order 0, 1, … 9, 0, 1, … would hold out one digit only.
HELD_OUT_STEP = 11
# In memory from when they are read, 39 MB, and twice when a model is judged. An accuracy of 99 % is within
# 0.1 points by them.
MAX_HELD_OUT = 50_000
# Shards may be of a digit each.
LEAST_SHARDS = 8


def open_dataset(
    batch: Batch,
    field: str,
    max_bytes: int,
    transposed: bool = False,
    *,
    max_held_out: int = MAX_HELD_OUT,
    max_files: int | None = None,
) -> Dataset:
    """Checks all but the values of most pixels, and keeps only the labels (30 ms for mnist.npz).

    `max_bytes` bounds what it unpacks to; rows and columns of `transposed` pictures are swapped; 0 for
    `max_held_out` is no limit. Of more than `max_files` files the headers alone are checked, and the dataset
    is without them. Raises InvalidInput, naming `field` and all that is wrong; BatchUnavailable.
    """
    intake = Intake(field, max_bytes, transposed, max_files)
    return _of(intake, take_files(batch, intake), max_held_out)


def open_upload(
    content: bytes | Path,
    field: str,
    max_bytes: int,
    transposed: bool = False,
    max_held_out: int = MAX_HELD_OUT,
) -> Dataset:
    """The same for what came with a request, or a file that has it: nobody changes that any more."""
    intake = Intake(field, max_bytes, transposed)
    file = PlainFile(content) if isinstance(content, Path) else Bytes(content)
    take_file(Source(file, "the upload", field), intake)
    return _of(intake, NO_FILES, max_held_out)


def _of(intake: Intake, files: BatchFiles, max_held_out: int) -> Dataset:
    train, test = intake.shards()
    subsets = (_whole(train), _held_out(test, intake, max_held_out)) if test else _split(train, max_held_out)
    labels = [part.shard.labels[part.chosen] for part in subsets[0]]
    if intake.unread:
        # What there is to say of the others, and of all together, says whoever reads them.
        return Dataset(*subsets, notes=[_unread(intake.unread)], files=files)
    if len(np.unique(np.concatenate(labels))) < 2:
        raise InvalidInput(
            intake.field, "the labels to train on are all the same; at least two digits are needed"
        )
    return Dataset(*subsets, notes=intake.findings.notes(), files=files)


def _unread(names: Sequence[str]) -> str:
    others = f" and {len(names) - 1:,} more" if len(names) > 1 else ""
    return f"{names[0][:100]}{others}: checked when read"


def of_images(images: Images, name: str, field: str, notes: Sequence[str]) -> Dataset:
    """Images in memory as a dataset, of which every 11th is held out."""
    shard = Shard(name, field, images.labels, lambda: iter([images.pixels]))
    return Dataset(*_split([shard], MAX_HELD_OUT), notes=notes)


@dataclass(frozen=True)
class Subset:
    """The images of one shard whose `chosen`, (N,) bool, is true."""

    shard: Shard
    chosen: NDArray[np.bool_]

    def __len__(self) -> int:
        return int(np.count_nonzero(self.chosen))

    def read(self) -> Iterator[Images]:
        """Yields the chosen images in the shard's order; raises InvalidInput if it is damaged."""
        start = 0
        for images in self.shard.read():
            yield self.pick(images, start)
            start += len(images)

    def pick(self, images: Images, start: int) -> Images:
        """The chosen ones of the shard's images from `start` on."""
        chosen = self.chosen[start : start + len(images)]
        return images if chosen.all() else Images(images.pixels[chosen], images.labels[chosen])

    def read_beside(self, held_out: Subset | None, reading: Reading) -> Iterator[Images]:
        """The same; `reading` takes the checksum, and those of this shard's images that are held out."""
        start = 0
        for images in self.shard.read():
            chosen = self.pick(images, start)
            reading.see(chosen, held_out.pick(images, start) if held_out is not None else None)
            yield chosen
            start += len(images)
        reading.see_labels(self.shard.labels[self.chosen])


@dataclass(frozen=True)
class ShardRead:
    """What is known of a shard once it was read: its checksum, and its images that are held out."""

    digest: bytes
    held_out: Sequence[Images]


class Reading:
    """A shard's checksum, of its chosen pixels and then of their labels, and what is held out, on the way."""

    def __init__(self) -> None:
        self._digest, self._held_out = hashlib.sha256(), list[Images]()

    def see(self, chosen: Images, held_out: Images | None) -> None:
        """Takes the next images."""
        self._digest.update(np.ascontiguousarray(chosen.pixels).data)
        if held_out:
            # A copy: what is handed on whole is a view of more.
            self._held_out.append(Images(held_out.pixels.copy(), held_out.labels.copy()))

    def see_labels(self, labels: Pixels) -> None:
        """Takes the labels of all that was chosen."""
        self._digest.update(labels.data)

    def end(self) -> ShardRead:
        """What is known now."""
        return ShardRead(self._digest.digest(), self._held_out)


@dataclass(frozen=True)
class Dataset:
    """Labelled images, some to train on and others held out.

    If the source has test arrays, these are held out; otherwise every 11th image is, from the first, but
    never more than about 50,000. `notes` say what was accepted though it is not as described, and what is not
    used; `files` are where it is read from.
    """

    train_subsets: Sequence[Subset]
    held_out_subsets: Sequence[Subset]
    notes: Sequence[str] = ()
    files: BatchFiles = NO_FILES
    _known: dict[int, ShardRead] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def train_count(self) -> int:
        """How many images `train` yields."""
        return sum(map(len, self.train_subsets))

    @property
    def held_out_count(self) -> int:
        """How many images `held_out` returns."""
        return sum(map(len, self.held_out_subsets))

    def sha256(self) -> str:
        """Returns the checksum of the training images, in hexadecimal: that of their shards' checksums.

        Each shard's is of its pixels and then its labels, in its order. What `train` has read is not read
        again. Raises InvalidInput if the source is damaged.
        """
        for number in range(len(self.train_subsets)):
            if number not in self._known:
                deque(self._read(number), maxlen=0)
        digests = [known.digest for _, known in sorted(self._known.items())]
        return hashlib.sha256(b"".join(digests)).hexdigest()

    def held_out(self) -> Images:
        """Returns the held-out images, all in memory; raises InvalidInput if the source is damaged.

        What `train` came across is not read again.
        """
        met = {id(self.train_subsets[number].shard): known.held_out for number, known in self._known.items()}
        parts = ((met.get(id(part.shard)), part) for part in self.held_out_subsets)
        images = (images for known, part in parts for images in (part.read() if known is None else known))
        (held_out,) = _runs(images, self.held_out_count)
        return held_out

    def some_held_out(self, least: int) -> Images:
        """Returns so many held-out images at least, if there are, of shards from all over.

        Which shards they are must not follow the batch's own order. Raises InvalidInput if one is damaged.
        """
        parts = [part for part in self.held_out_subsets if len(part)]
        order = np.random.default_rng(0).permutation(len(parts))
        enough = int(np.searchsorted(np.cumsum([len(parts[number]) for number in order]), least)) + 1
        chosen = order[: max(enough, LEAST_SHARDS)]
        return replace(self, held_out_subsets=[parts[number] for number in sorted(chosen)]).held_out()

    def held_out_in(self, number: int) -> Subset | None:
        """The held-out images of the shard that these training images are of, if there are some."""
        return self._held_out_by_shard.get(id(self.train_subsets[number].shard))

    @cached_property
    def _held_out_by_shard(self) -> dict[int, Subset]:
        return {id(part.shard): part for part in self.held_out_subsets}

    def train(self, seed: int) -> Iterator[Images]:
        """Yields the training images in chunks, in an order that `seed` alone decides.

        Files are read in a shuffled order, and images are shuffled within runs of 65,536, which is also
        the most that is in memory. Raises InvalidInput if the source turns out to be damaged.
        """
        random = np.random.default_rng(seed % 2**64)
        order = random.permutation(len(self.train_subsets))
        images = (images for number in order for images in self._read(int(number)))
        yield from shuffled(images, self.train_count, random)

    def was_read(self, number: int, known: ShardRead) -> None:
        """Takes what is known of a shard that somebody else read."""
        self._known[number] = known

    def _read(self, number: int) -> Iterator[Images]:
        """The images of one shard, of which the checksum is known at the end."""
        reading = Reading()
        yield from self.train_subsets[number].read_beside(self.held_out_in(number), reading)
        self.was_read(number, reading.end())


def shuffled(images: Iterable[Images], count: int, random: np.random.Generator) -> Iterator[Images]:
    """Yields `count` images in chunks, shuffled within runs of 65,536, the most that is in memory."""
    for run in _runs(images, min(count, SHUFFLE_IMAGES)):
        places = random.permutation(len(run))
        for start in range(0, len(run), CHUNK_IMAGES):
            chosen = places[start : start + CHUNK_IMAGES]
            yield Images(run.pixels[chosen], run.labels[chosen])


def _whole(shards: Sequence[Shard]) -> list[Subset]:
    return [Subset(shard, np.ones(len(shard.labels), bool)) for shard in shards]


def _split(shards: Sequence[Shard], max_held_out: int) -> tuple[list[Subset], list[Subset]]:
    """Parts to train on and parts to hold out, counting images through all the shards."""
    train, held_out, start = [], [], 0
    count = -(-sum(len(shard.labels) for shard in shards) // HELD_OUT_STEP)
    for shard in shards:
        places = np.arange(start, start + len(shard.labels))
        chosen = (places % HELD_OUT_STEP == 0) & _few(places, count, max_held_out)
        train.append(Subset(shard, ~chosen))
        held_out.append(Subset(shard, chosen))
        start += len(shard.labels)
    return train, held_out


def _held_out(shards: Sequence[Shard], intake: Intake, max_held_out: int) -> list[Subset]:
    """Images to test on, few of very many."""
    held_out, start = [], 0
    count = sum(len(shard.labels) for shard in shards)
    for shard in shards:
        places = np.arange(start, start + len(shard.labels))
        held_out.append(Subset(shard, _few(places, count, max_held_out)))
        start += len(shard.labels)
    if (used := sum(map(len, held_out))) < count:
        intake.findings.note("the images to test on", f"{used:,} of {count:,} are used")
    return held_out


def _few(places: NDArray[np.int64], count: int, limit: int) -> NDArray[np.bool_]:
    """Of `count` places nearly the limit, by a hash: what is held out must not follow a batch's own order.

    It is the finalizer of splitmix64 (Steele, Lea and Flood 2014, "Fast splittable pseudorandom number
    generators").
    """
    if not 0 < limit < count:
        return np.ones(len(places), bool)
    mixed = places.astype(np.uint64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    mixed ^= mixed >> np.uint64(31)
    # A fiftieth less, so that no batch is above by chance.
    return mixed < np.uint64(0.98 * limit / count * 2**64)


def _runs(chunks: Iterable[Images], size: int) -> Iterator[Images]:
    """Joins chunks into runs of `size` images, the last perhaps shorter.

    All runs share one buffer: each is gone once the next is asked for.
    """
    run = Images(np.empty((size, PIXELS_PER_IMAGE), np.uint8), np.empty(size, np.uint8))
    filled = 0
    for chunk in chunks:
        taken = 0
        while taken < len(chunk):
            count = min(size - filled, len(chunk) - taken)
            run.pixels[filled : filled + count] = chunk.pixels[taken : taken + count]
            run.labels[filled : filled + count] = chunk.labels[taken : taken + count]
            filled, taken = filled + count, taken + count
            if filled == size:
                yield run
                filled = 0
    if filled:
        yield Images(run.pixels[:filled], run.labels[:filled])
