from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow as pa
import pytest
from pyspark import cloudpickle

from digits.datasets.shards import Images
from digits.errors import Corrupt
from digits.offsets import OffsetRanges
from digits.training import architecture, blocks
from digits.training.local_sgd import PartitionResult
from digits.training.recipes import FAST, STANDARD, Convolution
from digits.v1 import artifacts_pb2 as pb
from spark_jobs.partition_trainer import STOPS, ArrowFunction, MicroBatch, train_partitions, warm

TINY = (Convolution(4, 5, pooled=True), Convolution(6, 3, pooled=True), Convolution(8, 3))
SMALL = dataclasses.replace(FAST, branches=(TINY,), batch_size=32)
Row = tuple[int, int, bytes]


def work(recipe: object = SMALL, **changes: object) -> MicroBatch:
    start = MicroBatch(
        recipe=SMALL,
        state=architecture.initial_state(SMALL, 0),
        seed=0,
        images_before=2_000,
        images_total=10_000,
        partition_count=2,
    )
    return dataclasses.replace(start, recipe=recipe, **changes)


def images(count: int) -> Images:
    """Pictures that are easy to tell apart: the label is where the bar is."""
    labels = (np.arange(count) % 10).astype(np.uint8)
    pixels = np.random.default_rng(1).integers(0, 60, (count, 28, 28), np.uint8)
    for picture, label in zip(pixels, labels, strict=True):
        picture[4:24, 4 + 2 * label : 6 + 2 * label] = 255
    return Images(pixels.reshape(count, 784), labels)


def rows(count: int, partition: int = 0) -> list[Row]:
    return [(partition, offset, block) for offset, block in enumerate(blocks.blocks([images(count)]))]


def run(function: ArrowFunction, *batches: list[Row]) -> bytes:
    names = ("partition", "offset", "block")
    records = (
        pa.RecordBatch.from_pydict(dict(zip(names, zip(*batch, strict=True), strict=True)))
        for batch in batches
    )
    (answer,) = function(records)
    assert answer.schema.names == ["report"]
    assert answer.num_rows == 1
    return bytes(answer["report"][0].as_py())


def report(micro_batch: MicroBatch, *batches: list[Row]) -> PartitionResult:
    return PartitionResult.from_proto(
        pb.PartitionReport.FromString(run(train_partitions(micro_batch), *batches))
    )


def same(first: PartitionResult, second: PartitionResult) -> bool:
    return all(np.array_equal(first.state[name], second.state[name]) for name in first.state)


def test_a_partition_reports_its_state_its_images_and_their_offsets() -> None:
    start = work()
    result = report(start, rows(128, partition=0), rows(64, partition=3))
    assert result.image_count == 192
    assert 0 <= result.correct_count <= 192
    assert 1.0 < result.loss_sum / 192 < 5.0
    assert result.offsets == OffsetRanges.of([(0, 0), (0, 1), (3, 0)])
    assert set(result.state) == set(start.state)
    for name, tensor in start.state.items():
        assert result.state[name].shape == tensor.shape
        assert not np.array_equal(result.state[name], tensor), name


def test_an_empty_partition_reports_that_it_saw_nothing() -> None:
    result = report(work())
    assert result == PartitionResult({}, 0, 0.0, 0, OffsetRanges())


def test_training_on_easy_pictures_learns_them() -> None:
    # Where a bar is tells its label: pictures must stay as they are.
    plain = dataclasses.replace(SMALL, augmentation=None, redrawn_share=0.0, non_digit_share=0.0)
    start = work(plain)
    for _ in range(4):
        result = report(start, rows(640))
        start = dataclasses.replace(start, state=result.state)
    assert result.correct_count / result.image_count > 0.9


@pytest.mark.parametrize(("count", "steps"), [(1, 1), (31, 1), (32, 1), (33, 2), (200, 7)])
def test_no_image_is_dropped_however_many_there_are(count: int, steps: int) -> None:
    result = report(work(), rows(count))
    assert result.image_count == count
    assert result.state["adam/steps"] == steps
    assert all(np.isfinite(tensor).all() for tensor in result.state.values())


def test_among_many_partitions_each_makes_more_and_smaller_steps() -> None:
    wide = dataclasses.replace(SMALL, batch_size=128)
    starts = [work(wide, partition_count=n, images_total=60_000) for n in (2, 4)]
    steps = [report(start, rows(128)).state["adam/steps"] for start in starts]
    assert steps == [1, 2]


def test_a_partition_that_passes_over_its_images_three_times_trains_each_three_times() -> None:
    once, thrice = report(work(), rows(100)), report(work(passes=3), rows(100))
    assert (once.image_count, thrice.image_count) == (100, 300)
    assert (once.state["adam/steps"], thrice.state["adam/steps"]) == (4, 10)
    assert thrice.offsets == once.offsets
    assert thrice.correct_count > 3 * once.correct_count, "it learns from one pass to the next"


def test_the_same_rows_in_another_order_teach_the_same() -> None:
    ordered = rows(300)
    assert same(report(work(), ordered), report(work(), ordered[3:], ordered[:3]))


@pytest.mark.parametrize("changes", [{"seed": 1}, {"seed": -1}, {"images_before": 2_001}])
def test_another_seed_or_another_time_shuffles_otherwise(changes: dict[str, int]) -> None:
    assert not same(report(work(), rows(300)), report(work(**changes), rows(300)))


def test_nothing_stays_in_the_worker_between_micro_batches() -> None:
    first = report(work(), rows(100))
    report(work(seed=9), rows(200))
    assert same(report(work(), rows(100)), first)


def test_the_weights_stand_still_where_the_schedule_has_ended() -> None:
    start = work(images_before=10_000)
    result = report(start, rows(64))
    np.testing.assert_array_equal(result.state["conv1/kernel"], start.state["conv1/kernel"])


def test_augmented_training_is_repeatable_too() -> None:
    augmented = dataclasses.replace(SMALL, augmentation=STANDARD.augmentation, label_smoothing=0.05)
    plain, first, again = (report(work(recipe), rows(100)) for recipe in (SMALL, augmented, augmented))
    assert same(first, again)
    assert not same(first, plain)


def test_blocks_that_were_trained_are_left_out_however_scattered_they_are() -> None:
    all_rows = rows(64 * 9)
    trained = OffsetRanges.of((0, offset) for offset in (0, 2, 4, 5, 8))
    found = report(work(trained=trained), all_rows)
    assert [run.start for run in found.offsets.ranges] == [1, 3, 6]
    assert found.image_count == 64 * 4
    assert report(work(trained=found.offsets.plus(trained)), all_rows).image_count == 0


SHORT_PIECES = dataclasses.replace(SMALL, max_partition_images=STOPS * 128)


def test_a_partition_whose_time_is_over_leaves_the_rest_to_another_micro_batch() -> None:
    start, all_rows = work(SHORT_PIECES, max_seconds=0.0), rows(640)
    trained, left = OffsetRanges(), []
    for _ in range(5):
        result = report(dataclasses.replace(start, trained=trained), all_rows)
        assert result.image_count == 128
        trained = trained.plus(result.offsets)
        left.append(result.left_block_count)
    assert left == [8, 6, 4, 2, 0]
    assert trained == OffsetRanges.of((0, offset) for offset in range(10))


def test_a_partition_with_time_enough_trains_all_of_its_pieces_from_one_state() -> None:
    whole = report(work(SHORT_PIECES), rows(700))
    assert (whole.image_count, whole.left_block_count, whole.offsets.count()) == (700, 0, 11)
    assert whole.state["adam/steps"] == 22


def test_several_passes_are_over_all_images_whatever_the_time() -> None:
    result = report(work(SHORT_PIECES, passes=2, max_seconds=0.0), rows(640))
    assert (result.image_count, result.left_block_count) == (1_280, 0)


def test_a_damaged_block_is_refused() -> None:
    with pytest.raises(Corrupt):
        report(work(), [(0, 0, b"not a block")])


def test_a_block_that_comes_twice_is_trained_once() -> None:
    all_rows = rows(256)
    once, twice = report(work(), all_rows), report(work(), all_rows, all_rows[1:3])
    assert twice.image_count == 256
    assert same(once, twice)


def test_warming_answers_with_the_networks_description() -> None:
    import keras  # noqa: PLC0415

    description = run(warm(SMALL)).decode()
    model = keras.models.model_from_json(description)
    assert {variable.path for variable in model.weights} == set(architecture.weights(work().state))


def test_what_travelled_does_the_same_work() -> None:
    travelled = cloudpickle.loads(cloudpickle.dumps(train_partitions(work())))
    assert run(travelled, rows(64)) == run(train_partitions(work()), rows(64))
