"""Local SGD: partitions train on their own, then their states are averaged (arXiv 1805.09767)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from digits.errors import Diverged
from digits.offsets import OffsetRanges
from digits.training import tensors
from digits.training.tensors import State
from digits.v1 import artifacts_pb2 as pb


class EmptyRound(ValueError):
    """No partition saw an image: there is nothing to merge."""


@dataclass(frozen=True)
class PartitionResult:
    """What one partition of a micro-batch learned.

    `state` is what it ended with, {} if it saw no image. `image_count` counts an image once a pass, and
    `loss_sum`, in nats, goes over as many. `left_block_count` blocks were not trained for want of time.
    """

    state: State
    image_count: int
    loss_sum: float
    correct_count: int
    offsets: OffsetRanges
    left_block_count: int = 0

    def to_proto(self) -> pb.PartitionReport:
        """Writes the result."""
        return pb.PartitionReport(
            state=tensors.to_proto(self.state),
            image_count=self.image_count,
            loss_sum=self.loss_sum,
            correct_count=self.correct_count,
            offsets=self.offsets.to_proto(),
            left_block_count=self.left_block_count,
        )

    @classmethod
    def from_proto(cls, report: pb.PartitionReport) -> PartitionResult:
        """Reads a result; raises Diverged if the training ran into NaN, Corrupt for damaged tensors."""
        if not np.isfinite(report.loss_sum):
            raise Diverged(f"the training diverged: a partition's loss is {report.loss_sum}")
        return cls(
            state=tensors.from_proto(report.state),
            image_count=report.image_count,
            loss_sum=report.loss_sum,
            correct_count=report.correct_count,
            offsets=OffsetRanges.from_proto(report.offsets),
            left_block_count=report.left_block_count,
        )


def merge(results: Sequence[PartitionResult]) -> State:
    """Averages the partitions' states by the images each one saw; returns float32 tensors.

    Each result holds the same tensors; a partition that saw 0 images counts for nothing. Adam's moments
    and batch-norm's statistics are averaged as the weights are. Raises EmptyRound when no partition saw
    an image, and Diverged if a state or a loss is not finite.
    """
    trained = [result for result in results if result.image_count > 0]
    if not trained:
        raise EmptyRound("no partition saw an image")
    for result in trained:
        _check_finite(result)
    shares = np.array([result.image_count for result in trained], np.float64)
    shares /= shares.sum()
    return {name: _average([result.state[name] for result in trained], shares) for name in trained[0].state}


def _average(versions: list[np.ndarray], shares: np.ndarray) -> np.ndarray:
    # In float64, so that the order of the partitions cannot be seen in the result.
    total = sum(share * version.astype(np.float64) for share, version in zip(shares, versions, strict=True))
    return np.asarray(total, np.float32)


def _check_finite(result: PartitionResult) -> None:
    if not np.isfinite(result.loss_sum):
        raise Diverged(f"the training diverged: a partition's loss is {result.loss_sum}")
    for name, tensor in result.state.items():
        if not np.isfinite(tensor).all():
            raise Diverged(f"the training diverged: {name!r} holds NaN or infinity")
