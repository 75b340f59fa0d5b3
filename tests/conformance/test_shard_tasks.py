"""Spark's tasks read shards in a real HDFS and append them to a real Kafka, each image once."""

from __future__ import annotations

import os
import signal
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import SparkSession

from digits import bootstrap
from digits.adapters.hdfs import HdfsStore
from digits.adapters.kafka import KafkaLog
from digits.adapters.kafka_connection import KafkaConnection
from digits.datasets.dataset import Dataset, open_dataset
from digits.datasets.shards import Shard
from digits.errors import InvalidInput
from digits.offsets import OffsetRanges
from digits.settings import Settings
from digits.training import blocks
from digits.training.ingest import Ingest
from digits.training.lanes import lanes
from digits.training.window import IngestWindow
from spark_jobs import session
from spark_jobs.shard_filling import ShardFilling
from tests import parquet_batches
from tests.conformance.conftest import jars_of, running_kafka
from tests.opened import opened
from tests.servers import kafka_log
from tests.simulation.spark import numbered

FIELD, SIZE, PARTITIONS = "images_batch_path", 64, 2
SHARDS, IMAGES_OF_SHARD = 6, 3_000
# Every eleventh is held out.
EACH_ONCE = Counter(number for number in range(SHARDS * IMAGES_OF_SHARD) if number % 11)


@pytest.fixture(scope="module")
def brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_kafka(tmp_path_factory.mktemp("kafka")) as address:
        yield address


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    settings = Settings(
        # A task may fail three times.
        spark_master="local[2,4]",
        spark_jars_dir=jars_of("spark-kafka"),
        var_dir=tmp_path_factory.mktemp("spark"),
    )
    with session.start(settings) as started:
        yield started


@dataclass(frozen=True)
class Batch:
    """A folder in HDFS, and the same one on this machine."""

    url: str
    folder: Path

    def dataset(self) -> Dataset:
        return open_dataset(
            bootstrap.batches(Settings(batches_url=self.url)).resolve(self.url, FIELD), FIELD, 1 << 30
        )


@pytest.fixture(scope="module", params=["npz", "csv", "parquet"])
def batch(request: pytest.FixtureRequest, hdfs: str, tmp_path_factory: pytest.TempPathFactory) -> Batch:
    folder, root = tmp_path_factory.mktemp(request.param), f"/{uuid.uuid4().hex}"
    store = HdfsStore([hdfs], root)
    for shard in range(SHARDS):
        images = numbered(shard * IMAGES_OF_SHARD, (shard + 1) * IMAGES_OF_SHARD)
        file = folder / f"part-{shard}.{request.param}"
        SAVED[request.param](file, images.pixels, images.labels)
        store.publish(file.name, file)
    return Batch(f"webhdfs://{hdfs}{root}", folder)


SAVED: dict[str, Callable[[Path, np.ndarray, np.ndarray], object]] = {
    "npz": lambda file, x, y: np.savez_compressed(file, x_train=x, y_train=y),
    "csv": lambda file, x, y: np.savetxt(file, np.column_stack([y, x]), fmt="%d", delimiter=","),
    "parquet": lambda file, x, y: file.write_bytes(parquet_batches.of(list(x), y)),
}


@pytest.fixture
def log(brokers: str) -> Iterator[KafkaLog]:
    made = kafka_log(brokers)
    made.create("shards", PARTITIONS)
    yield made
    made.delete("shards")


def filling(spark: SparkSession, log: KafkaLog, dataset: Dataset) -> ShardFilling:
    counts = list(map(len, dataset.train_subsets))
    return ShardFilling(
        spark=spark,
        log=log,
        job_id="shards",
        dataset=dataset,
        lanes=lanes(counts, PARTITIONS, SIZE, seed=3),
        images_per_block=SIZE,
        seed=3,
    )


def fill(spark: SparkSession, log: KafkaLog, dataset: Dataset) -> None:
    window = IngestWindow(10_000, sum(log.end_offsets("shards")), 0)
    with Ingest("shards", filling(spark, log, dataset), window, lambda: None) as ingest:
        ingest._thread.join()
    ingest.check()


def read(spark: SparkSession, log: KafkaLog) -> Counter[int]:
    """How often Spark finds each image, if it counts a block of an offset once."""
    source = log.source("shards", OffsetRanges(), max_blocks=10_000)
    columns = (source.partition, f"{source.offset} as offset", source.block)
    rows = spark.read.format(source.format).options(**source.options).load().selectExpr(*columns).collect()
    images = [blocks.unpack(bytes(block)) for block in {row[:2]: row[2] for row in map(tuple, rows)}.values()]
    return Counter(int(number) for each in images for number in each.pixels[:, :2] @ np.array([256, 1]))


def test_every_image_to_train_on_is_there_once_and_nothing_is_read_again_at_the_end(
    spark: SparkSession, log: KafkaLog, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = batch.dataset()
    assert dataset.files.are_shared()
    fill(spark, log, dataset)
    assert read(spark, log) == EACH_ONCE
    here = opened(batch.folder, 1 << 30)
    monkeypatch.setattr(Shard, "read", None)
    known = (dataset.sha256(), dataset.held_out().sha256())
    monkeypatch.undo()
    assert known == (here.sha256(), here.held_out().sha256())


@pytest.mark.parametrize("batch", ["npz"], indirect=True)
def test_a_second_ingest_appends_nothing_and_two_at_the_same_time_leave_each_image_once(
    spark: SparkSession, log: KafkaLog, batch: Batch
) -> None:
    ingests = [threading.Thread(target=fill, args=(spark, log, batch.dataset())) for _ in range(2)]
    for ingest in ingests:
        ingest.start()
    for ingest in ingests:
        ingest.join()
    assert read(spark, log) == EACH_ONCE
    ends = log._count_messages("shards")
    fill(spark, log, batch.dataset())
    assert log._count_messages("shards") == ends


class DyingOnce(KafkaLog):
    """A log that kills who uses it after the first blocks, and makes a file, if there is none yet."""

    def __init__(self, address: str, file: Path) -> None:
        super().__init__(KafkaConnection((address,)), 1, 1)
        self._file, self._address = file, address

    def __reduce__(self) -> tuple[object, ...]:
        return DyingOnce, (self._address, self._file)

    def append(self, job_id: str, partition: int, first_offset: int, blocks: Sequence[bytes]) -> None:
        super().append(job_id, partition, first_offset, blocks)
        with suppress(FileExistsError):
            self._file.touch(exist_ok=False)
            os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("batch", ["npz"], indirect=True)
def test_a_task_whose_process_is_killed_amid_its_shard_runs_again(
    spark: SparkSession, log: KafkaLog, brokers: str, batch: Batch, tmp_path: Path
) -> None:
    killed = tmp_path / "killed"
    fill(spark, DyingOnce(brokers, killed), batch.dataset())
    assert killed.exists()
    assert read(spark, log) == EACH_ONCE


@pytest.mark.parametrize("batch", ["npz"], indirect=True)
def test_a_shard_that_is_damaged_after_the_look_at_it_is_named(
    spark: SparkSession, log: KafkaLog, batch: Batch, hdfs: str
) -> None:
    root = f"/{uuid.uuid4().hex}"
    store = HdfsStore([hdfs], root)
    for file in batch.folder.iterdir():
        store.publish(file.name, file)
    damaged = Batch(f"webhdfs://{hdfs}{root}", batch.folder)
    dataset = damaged.dataset()
    whole = (batch.folder / "part-4.npz").read_bytes()
    store.delete("part-4.npz")
    middle = len(whole) // 2
    store.publish("part-4.npz", whole[:middle] + bytes(1_000) + whole[middle + 1_000 :])
    with pytest.raises(InvalidInput, match=r"part-4\.npz"):
        fill(spark, log, dataset)
