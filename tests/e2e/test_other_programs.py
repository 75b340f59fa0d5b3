"""Programs that are not ours find in HDFS, Kafka and ZooKeeper what we say is there."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import zstandard
from confluent_kafka import Consumer
from kazoo.client import KazooClient

from deploy.native.downloads import jars
from deploy.native.servers.java import find_java
from digits.adapters.zookeeper_access import ZooKeeperAccess
from digits.settings import Settings
from digits.v1 import artifacts_pb2, models_pb2
from digits.v1 import training_pb2 as pb
from tests.service import Service
from tests.waiting import wait_until


def hdfs(configuration: Path, *arguments: str) -> bytes:
    """What Hadoop's own command line prints; it wants a configuration, and takes an empty one."""
    (configuration / "core-site.xml").write_text("<configuration/>")
    class_path = f"{configuration}:{jars.folder('hdfs')}/*"
    command = [find_java(), "-cp", class_path, "org.apache.hadoop.fs.FsShell", *arguments]
    return subprocess.run(command, capture_output=True, check=True, timeout=120).stdout


def registered(service: Service, version: str) -> models_pb2.Model:
    """The version's record, read by kazoo and decoded with the published proto."""
    url = urlsplit(service.settings().coordinator_url)
    client = KazooClient(hosts=url.netloc, **ZooKeeperAccess.of(service.settings()).kazoo())
    client.start(timeout=30)
    try:
        value, _ = client.get(f"{url.path}/models/{version}")
        return models_pb2.Model.FromString(value)
    finally:
        client.stop()
        client.close()


def test_the_hdfs_command_lists_and_reads_a_bundle_with_the_registrys_checksum(
    trained: Service, tmp_path: Path
) -> None:
    with trained.client() as client:
        model = registered(trained, client.get_model("serving").version)
    bundle = f"{trained.settings().store}/{model.store_path}"
    assert f"{model.bundle_bytes} " in hdfs(tmp_path, "-ls", bundle).decode()
    assert hashlib.sha256(hdfs(tmp_path, "-cat", bundle)).hexdigest() == model.bundle_sha256


def test_a_plain_kafka_consumer_reads_the_images_of_a_running_job(
    trained: Service, mnist: dict[str, np.ndarray]
) -> None:
    with trained.client() as client:
        request = {"images_batch_path": "tiny.npz", "recipe": "standard", "promotion": pb.NEVER}
        stream = client.train(**request)
        job_id = next(progress.job_id for progress in stream if progress.micro_batch >= 1)
        labels = consumed_labels(trained.settings(), f"digits-{job_id}", 2_048)
        assert list(client.watch_job(job_id))[-1].state == pb.SUCCEEDED
    assert np.bincount(labels, minlength=10).tolist() == np.bincount(mnist["y_train"][:2_048]).tolist()


def consumed_labels(settings: Settings, topic: str, count: int) -> list[int]:
    """The labels of the first `count` images of a topic."""
    consumer = Consumer(
        {
            "bootstrap.servers": urlsplit(settings.log).netloc,
            "security.protocol": settings.kafka_security_protocol,
            "sasl.mechanism": settings.kafka_sasl_mechanism,
            "sasl.username": settings.kafka_sasl_username,
            "sasl.password": settings.kafka_sasl_password.get_secret_value(),
            "group.id": "another program",
            "auto.offset.reset": "earliest",
        }
    )
    consumer.subscribe([topic])
    labels: list[int] = []

    def read() -> bool:
        message = consumer.poll(0.1)
        if message is not None and not message.error():
            block = zstandard.ZstdDecompressor().decompress(message.value())
            labels.extend(artifacts_pb2.ImageBlock.FromString(block).labels)
        return len(labels) >= count

    try:
        wait_until(read, what="the images in Kafka")
    finally:
        consumer.close()
    return labels
