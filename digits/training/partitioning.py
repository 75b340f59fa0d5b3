"""Into how many partitions a training is split, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from digits.v1 import training_pb2 as pb

# TensorFlow in a Python worker takes about 600 MB, its batches and Arrow buffers a little more.
WORKER_BYTES = 1 << 30
# One epoch of `fast` over MNIST: 99.2 % in two partitions, 99.1 % in three or four, 98.9 % in eight.
MIN_IMAGES = 15_000
# Of a micro-batch: for so long at most do executors wait for states that come and go one after the other.
MAX_NETWORK_SHARE = 0.25


@dataclass(frozen=True)
class Means:
    """What a training has, and what it asks of the network.

    In each micro-batch of `micro_batch_seconds` each partition gets `state_bytes` from the driver and sends
    as many back. `network_bytes_per_second` is what the driver's machine moves; 0 if executors are on it.
    """

    cores: int
    images: int
    memory_bytes: int
    network_bytes_per_second: int = 0
    state_bytes: int = 0
    micro_batch_seconds: float = 0.0


@dataclass(frozen=True)
class Choice:
    """How many partitions, why in words, and by what means that was decided."""

    count: int
    reason: str
    means: Means

    def to_proto(self) -> pb.PartitionDecision:
        """As a job's record keeps it."""
        means = self.means
        return pb.PartitionDecision(
            partition_count=self.count,
            reason=self.reason,
            core_count=means.cores,
            image_count=means.images,
            memory_bytes=means.memory_bytes,
            network_bytes_per_second=means.network_bytes_per_second,
            state_bytes=means.state_bytes,
            micro_batch_seconds=means.micro_batch_seconds,
        )


def choose(means: Means) -> Choice:
    """How many partitions the log of a batch gets, at least 1; each trains on one core.

    More partitions train more images a second, one core each. Against that: every partition takes
    the memory of one more TensorFlow and its share of the driver's network, and since their states are
    averaged, all of them together make only as many steps of learning as *one* of them makes. Smaller batches
    make up for a part of that (Recipe.partition_batch_size), not for all, so few images stay together even if
    cores are free.
    """
    limits = sorted(_limits(means), key=lambda limit: limit[0])
    (least, what), others = limits[0], limits[1:]
    count = max(1, least)
    allowed = ", ".join(f"{other} {number:,}" for number, other in others)
    return Choice(count, f"limited to {count:,} by {what}; allowed by {allowed}", means)


def _limits(means: Means) -> Iterator[tuple[int, str]]:
    """How many partitions each of the means allows, and its name."""
    yield means.cores, f"{means.cores:,} core{'s' if means.cores != 1 else ''}"
    yield means.images // MIN_IMAGES, f"{means.images:,} images"
    yield means.memory_bytes // WORKER_BYTES, f"{means.memory_bytes / (1 << 30):,.1f} GiB of memory"
    if means.network_bytes_per_second and means.state_bytes:
        exchanged = means.network_bytes_per_second * means.micro_batch_seconds * MAX_NETWORK_SHARE
        speed = f"{means.network_bytes_per_second / 1e6:,.0f} MB/s of network"
        yield int(exchanged / (2 * means.state_bytes)), speed
