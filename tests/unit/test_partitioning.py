"""Into how many partitions a training is split, by what it has."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from digits.settings import Settings
from digits.training import recipes
from digits.training.partitioning import Means, choose
from digits.v1 import training_pb2 as pb
from spark_jobs import log_cut
from spark_jobs.log_cut import Cut
from tests.unit.job_bench import Bench

GB = 1 << 30
PLENTY = Means(
    cores=1_000,
    images=10**9,
    memory_bytes=10_000 * GB,
    network_bytes_per_second=10**12,
    state_bytes=1_000_000,
    micro_batch_seconds=5.0,
)


@pytest.mark.parametrize(
    ("less", "count", "by"),
    [
        ({"cores": 2}, 2, "2 cores"),
        ({"cores": 1}, 1, "1 core"),
        ({"cores": 2, "images": 60_000}, 2, "2 cores"),
        ({"cores": 64, "images": 60_000}, 4, "60,000 images"),
        ({"images": 1_000}, 1, "1,000 images"),
        ({"memory_bytes": 3 * GB + 1}, 3, "3.0 GiB of memory"),
        # A quarter of 5 s at a gigabit a second is room for 78 states that go and come.
        ({"network_bytes_per_second": 125_000_000}, 78, "125 MB/s of network"),
        ({"network_bytes_per_second": 125_000_000, "state_bytes": 10_000_000}, 7, "125 MB/s of network"),
        ({"network_bytes_per_second": 125_000_000, "micro_batch_seconds": 1.0}, 15, "125 MB/s of network"),
        # Executors beside the driver need none.
        ({"network_bytes_per_second": 0}, 1_000, "1,000 cores"),
        ({"cores": 0}, 1, "0 cores"),
        ({"images": 0}, 1, "0 images"),
        ({"memory_bytes": 0}, 1, "0.0 GiB of memory"),
        ({"network_bytes_per_second": 1}, 1, "0 MB/s of network"),
    ],
)
def test_the_scarcest_of_the_means_limits_the_partitions_and_is_named(
    less: dict[str, Any], count: int, by: str
) -> None:
    choice = choose(replace(PLENTY, **less))
    assert choice.count == count
    assert choice.reason.startswith(f"limited to {count:,} by {by}; allowed by ")


def test_the_reason_says_what_the_other_means_would_allow() -> None:
    choice = choose(Means(cores=2, images=60_000, memory_bytes=16 * GB))
    assert choice.reason == "limited to 2 by 2 cores; allowed by 60,000 images 4, 16.0 GiB of memory 16"


@pytest.mark.parametrize("name", ["cores", "images", "memory_bytes", "network_bytes_per_second"])
def test_more_of_anything_never_means_fewer_partitions(name: str) -> None:
    full = getattr(PLENTY, name)
    counts = [choose(replace(PLENTY, **{name: full * part // 20})).count for part in range(1, 21)]
    assert counts == sorted(counts)


def test_a_larger_state_never_means_more_partitions() -> None:
    slow = replace(PLENTY, network_bytes_per_second=10**9)
    counts = [choose(replace(slow, state_bytes=size)).count for size in range(10**6, 10**8, 10**7)]
    assert counts == sorted(counts, reverse=True)


def context(cores: int, **settings: Any) -> Any:
    spark = SimpleNamespace(sparkContext=SimpleNamespace(defaultParallelism=cores))
    return SimpleNamespace(settings=Settings(**settings), spark=spark)


def images(*counts: int, shared: bool = False) -> Any:
    """A dataset of shards with so many images each."""
    files = SimpleNamespace(are_shared=lambda: shared)
    return SimpleNamespace(train_count=sum(counts), train_subsets=list(map(range, counts)), files=files)


BY_TASKS = {"executors_read_batches": True, "log_url": "kafka://127.0.0.1:9092"}


@pytest.mark.parametrize(
    ("by_tasks", "settings", "dataset"),
    [
        (True, BY_TASKS, images(*[30_000] * 4, shared=True)),
        # Nobody knows what executors find below a path of this machine.
        (False, BY_TASKS, images(*[30_000] * 4)),
        # The last micro-batches would be one partition's.
        (False, BY_TASKS, images(*[30_000] * 3, shared=True)),
        (False, BY_TASKS, images(90_000, *[10_000] * 3, shared=True)),
        # Two blocks each, the second of them half empty.
        (False, BY_TASKS, images(*[100] * 1_200, shared=True)),
        (False, BY_TASKS | {"log_url": ""}, images(*[30_000] * 4, shared=True)),
        (False, BY_TASKS | {"executors_read_batches": False}, images(*[30_000] * 4, shared=True)),
    ],
)
def test_sparks_tasks_read_even_shards_if_executors_find_them(
    by_tasks: bool, settings: dict[str, Any], dataset: Any
) -> None:
    bench = Bench()
    job, lease = bench.leased()
    fast = recipes.find("fast")
    cut = log_cut.decided(context(2, trainer_memory_bytes=4 * GB, **settings), lease, fast, 1, dataset)
    assert (cut.lanes is not None, bench.jobs.get(job.job_id).blocks_by_shard) == (by_tasks, by_tasks)
    # Whoever goes on with it keeps to that, whatever its own settings say.
    assert log_cut.decided(context(8), lease, fast, 1, dataset) == cut


def test_the_first_trainer_decides_and_the_record_says_by_what() -> None:
    bench = Bench()
    job, lease = bench.leased()
    fast = recipes.find("fast")
    assert log_cut.decided(context(2, trainer_memory_bytes=4 * GB), lease, fast, 1, images(60_000)) == Cut(
        2, 64, None
    )
    lease.release()
    later = bench.lease(job.job_id)
    assert later
    assert log_cut.decided(context(8, trainer_memory_bytes=64 * GB), later, fast, 1, images(600_000)) == Cut(
        2, 64, None
    )
    record = bench.jobs.get(job.job_id)
    decision = record.partition_decision
    assert (record.log_partition_count, decision.partition_count, record.images_per_block) == (2, 2, 64)
    assert (decision.core_count, decision.image_count, decision.memory_bytes) == (2, 60_000, 4 * GB)
    assert decision.reason.startswith("limited to 2 by 2 cores")


def test_a_log_that_an_earlier_release_began_keeps_its_blocks() -> None:
    bench = Bench()
    job, lease = bench.leased()

    def begin(record: pb.Job) -> None:
        record.log_partition_count = 3

    lease.edit(begin)
    assert log_cut.decided(context(2), lease, recipes.find("fast"), 1, images(600_000)) == Cut(3, 64, None)
    assert not bench.jobs.get(job.job_id).images_per_block


def test_a_log_of_many_images_has_large_blocks_and_the_record_says_so() -> None:
    bench = Bench()
    job, lease = bench.leased()
    assert (
        log_cut.decided(context(2), lease, recipes.find("fast"), 1, images(600_000)).images_per_block == 512
    )
    assert bench.jobs.get(job.job_id).images_per_block == 512


@pytest.mark.parametrize(("master", "network"), [("local[*]", 0), ("spark://127.0.0.1:7077", 125_000_000)])
def test_the_network_counts_if_executors_are_elsewhere(master: str, network: int) -> None:
    bench = Bench()
    job, lease = bench.leased()
    log_cut.decided(context(2, spark_master=master), lease, recipes.find("fast"), 1, images(60_000))
    decision = bench.jobs.get(job.job_id).partition_decision
    assert decision.network_bytes_per_second == network
    # Weights, and Adam's two moments: `fast` has 57,914.
    assert decision.state_bytes == pytest.approx(3 * 4 * 57_914, rel=0.02)
