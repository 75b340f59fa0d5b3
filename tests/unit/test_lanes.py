"""Where shards' blocks are in a log that is filled by several at once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from digits.training.lanes import lanes

COUNTS = st.lists(st.integers(0, 200_000), min_size=1, max_size=40).filter(any)


@given(COUNTS, st.integers(1, 9), st.sampled_from([64, 512, 1_024]), st.integers())
def test_each_shard_with_images_has_its_blocks_once_and_no_partition_has_a_gap(
    counts: list[int], partitions: int, size: int, seed: int
) -> None:
    dealt = lanes(counts, partitions, size, seed)
    every = [stretch for lane in dealt.stretches for stretch in lane]
    assert sorted(stretch.shard for stretch in every) == [at for at, count in enumerate(counts) if count]
    assert {stretch.shard: stretch.count for stretch in every} == {
        at: -(-count // size) for at, count in enumerate(counts) if count
    }
    for partition, lane in enumerate(dealt.stretches):
        assert {stretch.partition for stretch in lane} <= {partition}
        ends = [0, *(stretch.first + stretch.count for stretch in lane)]
        assert [stretch.first for stretch in lane] == ends[:-1]
        assert dealt.block_counts[partition] == ends[-1]


@given(COUNTS, st.integers(1, 9), st.integers())
def test_whoever_deals_again_deals_the_same(counts: list[int], partitions: int, seed: int) -> None:
    assert lanes(counts, partitions, 64, seed) == lanes(counts, partitions, 64, seed)


def test_another_seed_is_another_order() -> None:
    orders = {
        tuple(stretch.shard for stretch in lanes([64] * 20, 1, 64, seed).stretches[0]) for seed in range(5)
    }
    assert len(orders) == 5


@given(COUNTS, st.integers(1, 9), st.integers())
def test_rounds_take_one_of_each_partition_and_leave_none_out(
    counts: list[int], partitions: int, seed: int
) -> None:
    dealt = lanes(counts, partitions, 64, seed)
    rounds = list(dealt.rounds())
    assert all(len({stretch.partition for stretch in each}) == len(each) for each in rounds)
    for partition, lane in enumerate(dealt.stretches):
        assert [stretch for each in rounds for stretch in each if stretch.partition == partition] == lane


@given(COUNTS, st.lists(st.integers(0, 4_000), min_size=3, max_size=3))
def test_what_a_log_has_whole_is_told_from_the_rest(counts: list[int], ends: list[int]) -> None:
    dealt = lanes(counts, 3, 64, seed=1)
    there, missing = dealt.split(ends)
    both = zip(there.stretches, missing.stretches, strict=True)
    assert [[*some, *others] for some, others in both] == list(map(list, dealt.stretches))
    for lane, end in zip(there.stretches, ends, strict=True):
        assert all(stretch.first + stretch.count <= end for stretch in lane)
    for lane, end in zip(missing.stretches, ends, strict=True):
        assert all(stretch.first + stretch.count > end for stretch in lane)


def test_partitions_are_even_if_none_is_a_tenth_longer_than_the_average() -> None:
    assert lanes([64] * 20, 2, 64, 1).are_even()
    assert lanes([64] * 21, 2, 64, 1).are_even()
    assert not lanes([64] * 5, 2, 64, 1).are_even()
    assert not lanes([64_000, *[64] * 9], 2, 64, 1).are_even()


def test_blocks_are_full_if_the_last_ones_of_shards_are_few() -> None:
    assert lanes([640, 641], 2, 64, 1).are_full(image_count=1_281, images_per_block=64)
    assert not lanes([65] * 20, 2, 64, 1).are_full(image_count=1_300, images_per_block=64)
