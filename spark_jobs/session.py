"""The warm SparkSession of a train worker."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from py4j.protocol import Py4JError
from pyspark import SparkConf, SparkContext
from pyspark.java_gateway import launch_gateway
from pyspark.sql import SparkSession

from digits.settings import Settings
from digits.training.recipes import Recipe
from spark_jobs import partition_trainer

# An idle Python worker is ended by Spark after a minute; touching it more often keeps it warm.
KEEP_WARM_SECONDS = 40.0
# C1 alone: the second compiler would take processor time from the training on the same cores.
_JAVA_OPTIONS = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"


def start(settings: Settings) -> SparkSession:
    """Starts Spark, or joins a cluster, with all of the driver's scratch space below the state folder."""
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    folder = settings.var_dir.resolve() / "spark"
    folder.mkdir(parents=True, exist_ok=True)
    builder = SparkSession.builder.master(settings.spark_master).appName("digitservice")
    options = {**_everywhere(folder), **_cluster(settings), **security(settings), **_jars(settings)}
    if secret := settings.spark_secret.get_secret_value():
        _start_java(options)
        options["spark.authenticate.secret"] = secret
    for key, value in options.items():
        builder = builder.config(key, value)
    session: SparkSession = builder.getOrCreate()
    session.sparkContext.setLogLevel("WARN")
    # A query that is stopped interrupts a chmod of what is thrown away with it: no stack for that.
    log4j = session.sparkContext._jvm.org.apache.logging.log4j  # type: ignore[union-attr]
    log4j.core.config.Configurator.setLevel("org.apache.hadoop.util.Shell", log4j.Level.ERROR)
    return session


def _everywhere(folder: Path) -> dict[str, str]:
    return {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.memory": "1g",
        "spark.local.dir": str(folder / "local"),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.driver.extraJavaOptions": f"{_JAVA_OPTIONS} -Djava.io.tmpdir={tempfile.gettempdir()}",
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
        # This manager of Spark's own checkpoint calls chmod less often than its usual one does.
        "spark.sql.streaming.checkpointFileManagerClass": (
            "org.apache.spark.sql.execution.streaming.checkpointing.FileSystemBasedCheckpointFileManager"
        ),
        "spark.sql.streaming.minBatchesToRetain": "2",
        "spark.sql.streaming.numRecentProgressUpdates": "2",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
    }


def _cluster(settings: Settings) -> dict[str, str]:
    """How executors reach the driver, and how many cores are waited for before the first job."""
    loopback = settings.spark_driver_host == "127.0.0.1"
    return {
        "spark.driver.host": settings.spark_driver_host,
        "spark.driver.bindAddress": "127.0.0.1" if loopback else "0.0.0.0",  # noqa: S104
        "spark.cores.max": str(settings.spark_cores),
        "spark.executor.memory": "1g",
        "spark.executor.extraJavaOptions": _JAVA_OPTIONS,
        # Else the first job sees the executor that came first, and the cores of the others stay idle.
        "spark.scheduler.minRegisteredResourcesRatio": "1.0",
        "spark.scheduler.maxRegisteredResourcesWaitingTime": "60s",
    }


def security(settings: Settings) -> dict[str, str]:
    """Who talks to the driver has its secret, and nobody else hears what they say.

    Alone, and on Kubernetes, Spark makes a secret of its own; a spark:// cluster has to have ours.
    """
    if settings.spark_master.startswith("spark:") and not settings.spark_secret.get_secret_value():
        return {}
    return {"spark.authenticate": "true", "spark.network.crypto.enabled": "true"}


def _start_java(options: Mapping[str, str]) -> None:
    """Starts Spark's Java before it hears of the secret: what it starts with is on its command line."""
    if SparkContext._gateway is None:
        conf = SparkConf(loadDefaults=False).setAll(list(options.items()))
        SparkContext._ensure_initialized(gateway=launch_gateway(conf))  # type: ignore[no-untyped-call]


def _jars(settings: Settings) -> dict[str, str]:
    """Spark's Kafka connector, which the cluster gets from the driver; ValueError if it is missing."""
    jars = sorted(settings.spark_jars_dir.glob("*.jar")) if settings.spark_jars_dir else []
    if settings.log.startswith("kafka:") and not jars:
        raise ValueError(
            "DIGITS_SPARK_JARS_DIR: Spark reads Kafka with the jars of this folder, which are not there; "
            "`python -m deploy.native.downloads.jars spark-kafka` fetches them and prints their folder"
        )
    return {"spark.jars": ",".join(map(str, jars))} if jars else {}


def is_over(spark: SparkSession) -> bool:
    """Whether the application has ended, as when its cluster gave it up, or its JVM is gone."""
    context = spark.sparkContext._jsc
    try:
        return context is None or bool(context.sc().isStopped())
    except (Py4JError, OSError):
        return True


def has_executors(spark: SparkSession) -> bool:
    """Whether somebody would run a task now; of the executors that Spark lists, one is the driver."""
    context = spark.sparkContext._jsc.sc()
    return context.isLocal() or len(context.statusTracker().getExecutorInfos()) > 1


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
