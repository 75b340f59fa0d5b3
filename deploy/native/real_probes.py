"""Asks the real stack's servers whether they can be *used*: written to and read, not only connected to."""

from __future__ import annotations

import contextlib
import json
import os
import urllib.request
import uuid
from typing import Any

from deploy.native.probes import PROBE_SECONDS, Probe, listens

# Its topic, queue and folder.
NAME = "digits-usable"
# Kafka's client speaks to stderr of a server that is still starting.
SILENT = {"log_level": 0, "error_cb": lambda _error: None, "log.connection.close": False}


def kafka_answers(port: int) -> Probe:
    """Whether a topic can be made and written."""
    address = f"127.0.0.1:{port}"

    def answers(_pid: int) -> bool:
        return listens(address) and _writes_a_topic(address)

    return answers


def namenode_answers(port: int) -> Probe:
    """Whether WebHDFS answers; files can be written once there is a DataNode, too."""

    def answers(_pid: int) -> bool:
        return _json(f"http://127.0.0.1:{port}/webhdfs/v1/?op=GETFILESTATUS") is not None

    return answers


def datanode_answers(namenode_port: int) -> Probe:
    """Whether a file can be published by WebHDFS and reads the same: then a DataNode took it."""
    address = f"127.0.0.1:{namenode_port}"

    def answers(_pid: int) -> bool:
        return listens(address) and _publishes_a_file(address)

    return answers


def rabbitmq_answers(port: int) -> Probe:
    """Whether it takes a connection, and a queue can be declared."""
    address = f"127.0.0.1:{port}"

    def answers(_pid: int) -> bool:
        return listens(address) and _declares_a_queue(address)

    return answers


def spark_master_answers(web_port: int) -> Probe:
    """Whether the master is ALIVE and so gives out work."""

    def answers(_pid: int) -> bool:
        state = _json(f"http://127.0.0.1:{web_port}/json/")
        return bool(state) and state["status"] == "ALIVE"

    return answers


def spark_worker_answers(master_web_port: int, port: int) -> Probe:
    """Whether the master counts on the worker at `port`."""

    def answers(_pid: int) -> bool:
        state = _json(f"http://127.0.0.1:{master_web_port}/json/")
        workers = state["workers"] if state else []
        return any(worker["port"] == port and worker["state"] == "ALIVE" for worker in workers)

    return answers


def _writes_a_topic(address: str) -> bool:
    # An extra: what does not start the real stack runs without it.
    from confluent_kafka import KafkaError, KafkaException, Producer  # noqa: PLC0415
    from confluent_kafka.admin import AdminClient, NewTopic  # noqa: PLC0415

    options: dict[str, Any] = {"bootstrap.servers": address, **SILENT}
    topic = NewTopic(NAME, num_partitions=1, replication_factor=1, config={"retention.ms": "60000"})
    # The answer never comes where the client is gone before it.
    admin = AdminClient(options)
    try:
        admin.create_topics([topic], request_timeout=PROBE_SECONDS)[NAME].result(PROBE_SECONDS)
    except KafkaException as error:
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            return False
    except TimeoutError:
        return False
    producer = Producer({**options, "acks": "all", "message.timeout.ms": int(PROBE_SECONDS * 1000)})
    written: list[bool] = []
    producer.produce(NAME, b"", on_delivery=lambda error, _message: written.append(error is None))
    producer.flush(2 * PROBE_SECONDS)
    return written == [True]


def _publishes_a_file(address: str) -> bool:
    import requests  # noqa: PLC0415
    from hdfs import HdfsError, InsecureClient  # noqa: PLC0415

    client = InsecureClient(f"http://{address}", user=NAME, timeout=2 * PROBE_SECONDS)
    path, content = f"/{NAME}/{uuid.uuid4().hex}", os.urandom(16)
    with contextlib.suppress(HdfsError, requests.RequestException):
        try:
            client.write(path, content)
            with client.read(path) as reader:
                return bool(reader.read() == content)
        finally:
            client.delete(f"/{NAME}", recursive=True)
    return False


def _declares_a_queue(address: str) -> bool:
    import amqp  # noqa: PLC0415

    try:
        with amqp.Connection(
            address, connect_timeout=PROBE_SECONDS, read_timeout=PROBE_SECONDS
        ) as connection:
            connection.channel().queue_declare(NAME, exclusive=True)
    except (amqp.AMQPError, OSError):
        return False
    return True


def _json(url: str) -> Any:
    """The document there; None where there is none, or no answer in time."""
    try:
        with urllib.request.urlopen(url, timeout=PROBE_SECONDS) as response:  # noqa: S310
            return json.load(response)
    except (OSError, ValueError):
        return None
