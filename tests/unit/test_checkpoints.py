"""Checkpoints, and the training state that they hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from digits.adapters.local_folder import LocalFolderStore
from digits.offsets import OffsetRange, OffsetRanges
from digits.training.checkpoints import Checkpoints
from digits.training.local_sgd import PartitionResult
from digits.v1 import artifacts_pb2 as pb
from spark_jobs.training_state import TrainingState


@pytest.fixture
def checkpoints(tmp_path: Path) -> Checkpoints:
    return Checkpoints(LocalFolderStore(tmp_path), "job")


def checkpoint(sequence: int, lease_id: int = 1) -> pb.Checkpoint:
    return pb.Checkpoint(job_id="job", sequence=sequence, lease_id=lease_id)


def result(images: int, offsets: list[tuple[int, int]], value: float = 1.0) -> PartitionResult:
    state = {"w": np.full(3, value, np.float32)} if images else {}
    return PartitionResult(state, images, 0.5 * images, images, OffsetRanges.of(offsets))


def test_there_is_none_at_first(checkpoints: Checkpoints) -> None:
    assert checkpoints.newest() is None


def test_a_trial_leaves_nothing_and_is_no_checkpoint(checkpoints: Checkpoints, tmp_path: Path) -> None:
    checkpoints.commit(checkpoint(1))
    before = sorted(tmp_path.rglob("*"))
    checkpoints.try_out()
    assert sorted(tmp_path.rglob("*")) == before
    (tmp_path / "checkpoints" / "job" / "f00.trial").write_bytes(b"")  # Of a worker that was killed.
    newest = checkpoints.newest()
    assert newest and newest.sequence == 1


def test_the_newest_is_the_last_one_committed(checkpoints: Checkpoints) -> None:
    for sequence in range(1, 12):
        checkpoints.commit(checkpoint(sequence))
    newest = checkpoints.newest()
    assert newest and newest.sequence == 11


def test_a_later_lease_is_newer_than_a_higher_sequence(checkpoints: Checkpoints) -> None:
    checkpoints.commit(checkpoint(5, lease_id=10))
    checkpoints.commit(checkpoint(9, lease_id=2))
    newest = checkpoints.newest()
    assert newest and newest.sequence == 5


@pytest.mark.parametrize("damage", [b"", b"half", None])
def test_a_damaged_checkpoint_is_skipped_for_the_one_before(
    checkpoints: Checkpoints, tmp_path: Path, damage: bytes | None
) -> None:
    checkpoints.commit(checkpoint(1))
    checkpoints.commit(checkpoint(2))
    newest = max(tmp_path.glob("checkpoints/job/*"))
    newest.write_bytes(newest.read_bytes()[:-1] if damage is None else damage)
    found = checkpoints.newest()
    assert found and found.sequence == 1


def test_only_a_few_are_kept_and_none_of_a_deleted_job(checkpoints: Checkpoints, tmp_path: Path) -> None:
    for sequence in range(1, 12):
        checkpoints.commit(checkpoint(sequence))
    assert len(list(tmp_path.glob("checkpoints/job/*"))) == 3
    checkpoints.delete()
    assert checkpoints.newest() is None


def test_a_state_comes_back_from_its_checkpoint() -> None:
    state = TrainingState({"w": np.arange(3, dtype=np.float32)})
    state = state.after([result(64, [(0, 0)]), result(40, [(1, 0)], value=3.0)], seconds=1.5)
    back = TrainingState.from_proto(state.to_proto("job", lease_id=7))
    assert (back.epoch, back.images_trained, back.micro_batch, back.seconds) == (1, 104, 1, 1.5)
    assert back.trained == state.trained
    np.testing.assert_array_equal(back.tensors["w"], state.tensors["w"])


def test_an_image_cannot_be_trained_twice_in_an_epoch() -> None:
    state = TrainingState({"w": np.zeros(3, np.float32)}).after([result(64, [(0, 0)])], 1.0)
    with pytest.raises(ValueError, match="overlap"):
        state.after([result(64, [(0, 0)])], 1.0)
    assert state.next_epoch().after([result(64, [(0, 0)])], 1.0).images_trained == 128


def test_offsets_join_into_runs() -> None:
    ranges = OffsetRanges.of([(0, 2), (0, 0), (0, 1), (1, 5)])
    assert ranges.ranges == (OffsetRange(0, 0, 3), OffsetRange(1, 5, 6))
    assert OffsetRanges.from_proto(ranges.to_proto()) == ranges
    assert ranges.count() == 4


def test_a_set_of_offsets_holds_its_own_and_no_other() -> None:
    ranges = OffsetRanges.of([(0, 2), (0, 3), (0, 7), (2, 0)])
    held = [(p, o) for p in range(4) for o in range(9) if ranges.holds(p, o)]
    assert held == [(0, 2), (0, 3), (0, 7), (2, 0)]


def test_an_offset_that_was_seen_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        OffsetRanges.of([(0, 2), (0, 2)])
