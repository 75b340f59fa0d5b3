from __future__ import annotations

import pytest

from digits.training.partitioning import partition_count

GB = 1 << 30


def test_every_core_gets_a_partition_where_images_and_memory_allow() -> None:
    assert partition_count(cores=2, images=60_000, memory_bytes=16 * GB) == 2
    assert partition_count(cores=8, images=600_000, memory_bytes=64 * GB) == 8


def test_few_images_stay_together() -> None:
    assert partition_count(cores=8, images=1_000, memory_bytes=64 * GB) == 1
    assert partition_count(cores=64, images=60_000, memory_bytes=256 * GB) < 64


def test_little_memory_means_few_partitions() -> None:
    assert partition_count(cores=8, images=600_000, memory_bytes=3 * GB) == 3


@pytest.mark.parametrize(("cores", "images", "memory_bytes"), [(0, 60_000, GB), (4, 0, GB), (4, 60_000, 0)])
def test_there_is_always_one_partition(cores: int, images: int, memory_bytes: int) -> None:
    assert partition_count(cores, images, memory_bytes) == 1


def test_more_of_anything_never_means_fewer_partitions() -> None:
    counts = [partition_count(cores, 100_000, 4 * GB) for cores in range(1, 20)]
    assert counts == sorted(counts)
