"""Which part of a log was trained: runs of offsets, by partition."""

from __future__ import annotations

import bisect
import sys
from collections.abc import Iterable
from dataclasses import dataclass

from digits.v1 import artifacts_pb2 as pb


@dataclass(frozen=True, order=True)
class OffsetRange:
    """The offsets start ≤ offset < end of one partition."""

    partition: int
    start: int
    end: int


@dataclass(frozen=True)
class OffsetRanges:
    """A set of offsets, held as its sorted runs that neither touch nor overlap."""

    ranges: tuple[OffsetRange, ...] = ()

    @classmethod
    def of(cls, offsets: Iterable[tuple[int, int]]) -> OffsetRanges:
        """Collects (partition, offset) pairs; raises ValueError if one comes twice."""
        pairs = list(offsets)
        if len(set(pairs)) != len(pairs):
            raise ValueError("an offset was seen twice")
        return cls._joined(OffsetRange(partition, offset, offset + 1) for partition, offset in pairs)

    @classmethod
    def _joined(cls, ranges: Iterable[OffsetRange]) -> OffsetRanges:
        runs: list[OffsetRange] = []
        for new in sorted(ranges):
            last = runs[-1] if runs else None
            if last and last.partition == new.partition and last.end > new.start:
                raise ValueError(f"{last} and {new} overlap")
            if last and last.partition == new.partition and last.end == new.start:
                runs[-1] = OffsetRange(last.partition, last.start, new.end)
            else:
                runs.append(new)
        return cls(tuple(runs))

    def plus(self, other: OffsetRanges) -> OffsetRanges:
        """Joins two sets; raises ValueError if they overlap, since no image may count twice."""
        return self.union((self, other))

    @classmethod
    def union(cls, sets: Iterable[OffsetRanges]) -> OffsetRanges:
        """Joins any number of sets; raises ValueError if two overlap."""
        return cls._joined(run for each in sets for run in each.ranges)

    def holds(self, partition: int, offset: int) -> bool:
        """Whether an offset is in the set."""
        at = bisect.bisect_right(self.ranges, OffsetRange(partition, offset, sys.maxsize))
        before = self.ranges[at - 1] if at else None
        return before is not None and before.partition == partition and offset < before.end

    def count(self) -> int:
        """How many offsets there are."""
        return sum(run.end - run.start for run in self.ranges)

    def to_proto(self) -> list[pb.OffsetRange]:
        """The runs as messages."""
        return [pb.OffsetRange(partition=run.partition, start=run.start, end=run.end) for run in self.ranges]

    @classmethod
    def from_proto(cls, messages: Iterable[pb.OffsetRange]) -> OffsetRanges:
        """Reads the runs back."""
        return cls._joined(OffsetRange(m.partition, m.start, m.end) for m in messages)
