"""Where each shard's blocks are in a log whose partitions are filled side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np

# Micro-batches take as many blocks of each partition: of an uneven log, the rest is trained by one core.
_MAX_UNEVENNESS = 1.1


@dataclass(frozen=True)
class Stretch:
    """The blocks of one shard: `count` of them in one partition, from the offset `first` on."""

    shard: int
    partition: int
    first: int
    count: int

    @property
    def end(self) -> int:
        """The offset after its last block."""
        return self.first + self.count


@dataclass(frozen=True)
class Lanes:
    """For each partition its stretches, one after the other from offset 0 on."""

    stretches: Sequence[Sequence[Stretch]]

    @property
    def block_counts(self) -> list[int]:
        """Blocks of each partition."""
        return [sum(stretch.count for stretch in lane) for lane in self.stretches]

    def are_even(self) -> bool:
        """Whether no partition is a tenth longer than they are on average."""
        counts = self.block_counts
        return max(counts) * len(counts) <= _MAX_UNEVENNESS * sum(counts)

    def are_full(self, image_count: int, images_per_block: int) -> bool:
        """Whether there are hardly more blocks than so many images need, though each shard ends with its own.

        Micro-batches are counted in blocks.
        """
        return sum(self.block_counts) * images_per_block <= _MAX_UNEVENNESS * image_count

    def split(self, ends: Sequence[int]) -> tuple[Lanes, Lanes]:
        """What a log with these ends has whole, and the rest."""
        there = [
            sum(each.end <= end for each in lane) for lane, end in zip(self.stretches, ends, strict=True)
        ]
        cut = list(zip(self.stretches, there, strict=True))
        return Lanes([lane[:count] for lane, count in cut]), Lanes([lane[count:] for lane, count in cut])

    def rounds(self) -> Iterator[list[Stretch]]:
        """Each partition's first stretch, then each one's second, and so on."""
        for abreast in zip_longest(*self.stretches):
            yield [stretch for stretch in abreast if stretch is not None]


def lanes(image_counts: Sequence[int], partitions: int, images_per_block: int, seed: int) -> Lanes:
    """Deals out shards of so many images in an order that `seed` alone decides.

    Each goes to the partition that has the fewest blocks so far, and its last block may hold fewer images.
    """
    ends, dealt = [0] * partitions, [list[Stretch]() for _ in range(partitions)]
    for shard in np.random.default_rng(seed % 2**64).permutation(len(image_counts)):
        if count := -(-image_counts[shard] // images_per_block):
            partition = ends.index(min(ends))
            dealt[partition].append(Stretch(int(shard), partition, ends[partition], count))
            ends[partition] += count
    return Lanes(dealt)
