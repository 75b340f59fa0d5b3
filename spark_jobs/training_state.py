"""Where a training is between two micro-batches; a checkpoint holds exactly this."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from digits.offsets import OffsetRanges
from digits.training import local_sgd, tensors
from digits.training.local_sgd import PartitionResult
from digits.training.tensors import State
from digits.v1 import artifacts_pb2 as pb

NOTHING = OffsetRanges()


@dataclass(frozen=True)
class TrainingState:
    """Weights and optimizer state, and which images they have seen."""

    tensors: State
    epoch: int = 1
    trained: OffsetRanges = NOTHING
    images_trained: int = 0
    micro_batch: int = 0
    seconds: float = 0.0
    """In training, what lies between two micro-batches included."""

    def after(self, results: Sequence[PartitionResult], seconds: float) -> TrainingState:
        """Merges what the partitions of a micro-batch learned in `seconds`; raises EmptyRound if nothing."""
        trained = self.trained
        for result in results:
            trained = trained.plus(result.offsets)
        return replace(
            self,
            tensors=local_sgd.merge(results),
            trained=trained,
            images_trained=self.images_trained + sum(result.image_count for result in results),
            micro_batch=self.micro_batch + 1,
            seconds=self.seconds + seconds,
        )

    def next_epoch(self) -> TrainingState:
        """The same, with the whole log to train again."""
        return replace(self, epoch=self.epoch + 1, trained=NOTHING)

    def to_proto(self, job_id: str, lease_id: int) -> pb.Checkpoint:
        """The checkpoint."""
        return pb.Checkpoint(
            job_id=job_id,
            sequence=self.micro_batch,
            epoch=self.epoch,
            trained=self.trained.to_proto(),
            images_trained=self.images_trained,
            micro_batch=self.micro_batch,
            state=tensors.to_proto(self.tensors),
            lease_id=lease_id,
            training_seconds=self.seconds,
        )

    @classmethod
    def from_proto(cls, checkpoint: pb.Checkpoint) -> TrainingState:
        """Reads a checkpoint back; raises Corrupt."""
        return cls(
            tensors=tensors.from_proto(checkpoint.state),
            epoch=checkpoint.epoch,
            trained=OffsetRanges.from_proto(checkpoint.trained),
            images_trained=checkpoint.images_trained,
            micro_batch=checkpoint.micro_batch,
            seconds=checkpoint.training_seconds,
        )
