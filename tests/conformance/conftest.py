"""Real servers for the conformance tests, one of each for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.native.downloads import jars
from deploy.native.errors import CannotFetch, CannotStart
from tests.conftest import missing, require_java, require_rabbitmq
from tests.ports import free_port
from tests.secure_hdfs import SecureHdfs, secured_hdfs
from tests.secure_kafka import SecureKafka, secured_kafka
from tests.secure_zookeeper import SecureZooKeeper, secured_zookeeper
from tests.servers import data_node, kafka_server, name_node, rabbitmq_server, rabbitmq_url


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a real Kafka."""
    with running_kafka(tmp_path_factory.mktemp("kafka")) as address:
        yield address


@contextmanager
def running_kafka(folder: Path) -> Iterator[str]:
    """Yields its address."""
    jars_of("kafka")
    port = free_port()
    with kafka_server(folder, port):
        yield f"127.0.0.1:{port}"


@pytest.fixture(scope="session")
def secure_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureKafka]:
    """A real Kafka that speaks TLS and wants to know who we are."""
    jars_of("kafka")
    with secured_kafka(tmp_path_factory.mktemp("secure_kafka")) as kafka:
        yield kafka


@pytest.fixture(scope="session")
def secure_zookeeper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureZooKeeper]:
    """A real ZooKeeper that wants to know who we are, with and without TLS."""
    require_java()
    with secured_zookeeper(tmp_path_factory.mktemp("secure_zookeeper")) as zookeeper:
        yield zookeeper


@pytest.fixture(scope="session")
def hdfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """WebHDFS address of a real HDFS."""
    jars_of("hdfs")
    folder, http_port, rpc_port = tmp_path_factory.mktemp("hdfs"), free_port(), free_port()
    with (
        name_node(folder / "name", http_port, rpc_port),
        data_node(folder / "data", rpc_port, http_port),
    ):
        yield f"127.0.0.1:{http_port}"


@pytest.fixture(scope="session")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a real RabbitMQ."""
    require_rabbitmq()
    port = free_port()
    with rabbitmq_server(tmp_path_factory.mktemp("rabbitmq"), port):
        yield rabbitmq_url(port)


@pytest.fixture(scope="session")
def secure_hdfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureHdfs]:
    """A real HDFS that speaks HTTPS alone."""
    jars_of("hdfs")
    with secured_hdfs(tmp_path_factory.mktemp("secure_hdfs")) as hdfs:
        yield hdfs


def jars_of(name: str) -> Path:
    """The folder of pinned jars; skips where they cannot be had, or fails where they have to be."""
    try:
        return jars.folder(name)
    except (CannotStart, CannotFetch) as error:
        missing(str(error))
