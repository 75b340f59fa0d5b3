"""The warm SparkSession of a train worker."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pyspark.sql import SparkSession

from digits.recipes import Recipe
from spark_jobs import partition_trainer

# An idle Python worker is ended by Spark after a minute; touching it more often keeps it warm.
KEEP_WARM_SECONDS = 40.0


def start(master: str, folder: Path) -> SparkSession:
    """Starts Spark with all of its scratch space below a folder."""
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    folder.mkdir(parents=True, exist_ok=True)
    settings = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": "1g",
        "spark.local.dir": str(folder / "local"),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        # C1 alone: the second compiler would take processor time from the training on the same cores.
        "spark.driver.extraJavaOptions": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
        "spark.python.worker.reuse": "true",
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.shuffle.partitions": "2",
        # Many small reader splits, so that coalesce can share them out evenly over the cores.
        "spark.sql.files.openCostInBytes": "65536",
        "spark.sql.files.maxPartitionBytes": "524288",
        # A micro-batch names its files one by one; listing them in a Spark job of their own costs a second.
        "spark.sql.sources.parallelPartitionDiscovery.threshold": "100000",
        # No checksum files beside Spark's scratch files: each costs a process, since Hadoop calls chmod.
        "spark.hadoop.fs.file.impl": "org.apache.hadoop.fs.RawLocalFileSystem",
        "spark.hadoop.fs.AbstractFileSystem.file.impl": "org.apache.hadoop.fs.local.RawLocalFs",
        "spark.sql.streaming.minBatchesToRetain": "2",
        "spark.sql.streaming.numRecentProgressUpdates": "2",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
    }
    builder = SparkSession.builder.master(master).appName("digitservice")
    for key, value in settings.items():
        builder = builder.config(key, value)
    session: SparkSession = builder.getOrCreate()
    session.sparkContext.setLogLevel("WARN")
    return session


def warm(spark: SparkSession, recipe: Recipe) -> str:
    """Has every core's Python worker import TensorFlow and compile a recipe's training, and so stay alive.

    Returns Keras's configuration of the network, as JSON.
    """
    cores = spark.sparkContext.defaultParallelism
    function = partition_trainer.warm(recipe)
    rows = (
        spark.range(cores, numPartitions=cores)
        .mapInArrow(function, partition_trainer.REPORT_SCHEMA)
        .collect()
    )
    return bytes(rows[0].report).decode()
