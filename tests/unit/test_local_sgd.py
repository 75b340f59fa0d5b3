from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from digits.errors import Corrupt, Diverged
from digits.offsets import OffsetRanges
from digits.training.local_sgd import EmptyRound, PartitionResult, merge
from digits.v1 import artifacts_pb2 as pb


def result(value: float, image_count: int, loss_sum: float = 1.0) -> PartitionResult:
    state = {"w": np.full((2, 3), value, np.float32), "steps": np.array(value, np.float32)}
    return PartitionResult(state, image_count, loss_sum, 1, OffsetRanges.of([(0, 3), (0, 4), (1, 9)]))


EMPTY = PartitionResult({}, 0, 0.0, 0, OffsetRanges())


def test_states_are_averaged_by_the_images_that_each_partition_saw() -> None:
    merged = merge([result(1, image_count=300), result(5, image_count=100)])
    np.testing.assert_allclose(merged["w"], np.full((2, 3), 2.0))
    np.testing.assert_allclose(merged["steps"], 2.0)
    assert {tensor.dtype for tensor in merged.values()} == {np.dtype(np.float32)}
    assert merged["steps"].shape == ()


def test_a_partition_without_images_counts_for_nothing() -> None:
    full = result(3, image_count=7)
    np.testing.assert_array_equal(merge([EMPTY, full, EMPTY])["w"], full.state["w"])


@pytest.mark.parametrize("results", [[], [EMPTY], [EMPTY, EMPTY]])
def test_a_round_without_images_is_refused(results: list[PartitionResult]) -> None:
    with pytest.raises(EmptyRound):
        merge(results)


def test_the_order_of_the_partitions_does_not_matter() -> None:
    results = [result(0.1, 64), result(0.7, 6_400), result(-3.3, 1)]
    merged = [merge(order)["w"].tobytes() for order in itertools.permutations(results)]
    assert len(set(merged)) == 1


@pytest.mark.parametrize(
    "broken",
    [
        result(float("nan"), 5),
        result(float("inf"), 5),
        result(1, 5, float("nan")),
        result(1, 5, float("inf")),
    ],
    ids=["NaN state", "infinite state", "NaN loss", "infinite loss"],
)
def test_what_diverged_is_not_merged(broken: PartitionResult) -> None:
    with pytest.raises(Diverged, match="diverged"):
        merge([result(1, 5), broken])


def test_a_result_comes_back_as_it_went() -> None:
    sent = result(2, image_count=192, loss_sum=12.5)
    back = PartitionResult.from_proto(pb.PartitionReport.FromString(sent.to_proto().SerializeToString()))
    assert dataclasses.replace(back, state={}) == dataclasses.replace(sent, state={})
    for name, tensor in sent.state.items():
        np.testing.assert_array_equal(back.state[name], tensor)


def test_a_diverged_report_is_refused_by_what_it_is() -> None:
    with pytest.raises(Diverged):
        PartitionResult.from_proto(result(float("nan"), 5, loss_sum=float("nan")).to_proto())


def test_a_report_with_a_damaged_state_is_refused() -> None:
    report = result(1, 5).to_proto()
    report.state[0].float32_values = b"123"
    with pytest.raises(Corrupt):
        PartitionResult.from_proto(report)
