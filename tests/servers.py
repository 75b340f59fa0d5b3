"""The real servers as tests start them: natively, on loopback, each usable when its block is entered."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import requests
from kombu import Connection

from deploy.native import jars, preflight
from deploy.native.hdfs import datanode_command, namenode_command
from deploy.native.kafka import kafka_command
from deploy.native.rabbitmq import rabbitmq_command
from deploy.native.valkey import valkey_command
from deploy.native.zookeeper import zookeeper_command
from digits.adapters.hdfs import HdfsStore
from digits.adapters.kafka import KafkaLog
from digits.adapters.kafka_connection import KafkaConnection
from digits.adapters.reply_queue import AWAY
from digits.errors import LogUnavailable, StoreUnavailable
from tests.ports import free_port
from tests.processes import running
from tests.waiting import wait_until


@contextlib.contextmanager
def zookeeper_server(folder: Path, port: int) -> Iterator[None]:
    """A ZooKeeper that takes connections."""
    folder.mkdir(exist_ok=True)
    command = zookeeper_command(preflight.find_java(), preflight.spark_jars(), folder, port)
    with running(command, port, folder / "log"):
        yield


@contextlib.contextmanager
def valkey_server(folder: Path, port: int) -> Iterator[None]:
    """A Valkey that takes connections."""
    folder.mkdir(exist_ok=True)
    with running(valkey_command(preflight.valkey_binary(), folder, port), port, folder / "log"):
        yield


@contextlib.contextmanager
def kafka_server(folder: Path, port: int, more: Mapping[str, str] = MappingProxyType({})) -> Iterator[None]:
    """A Kafka that takes a block."""
    folder.mkdir(exist_ok=True)
    command = kafka_command(preflight.find_java(), jars.folder("kafka"), folder, port, free_port())
    # Of a property that comes twice, the last one holds.
    with (folder / "server.properties").open("a", encoding="utf-8") as configuration:
        configuration.writelines(f"{name}={value}\n" for name, value in more.items())
    log = kafka_log(f"127.0.0.1:{port}")

    def takes_a_block() -> bool:
        with contextlib.suppress(LogUnavailable):
            log.create("usable", 1)
            log.append("usable", 0, [b""])
            log.delete("usable")
            return True
        return False

    with running(command, port, folder / "log"):
        wait_until(takes_a_block, seconds=60, what="a usable Kafka")
        yield


def kafka_log(address: str) -> KafkaLog:
    """The log in a Kafka without security."""
    return KafkaLog(KafkaConnection((address,)), replication_factor=1, retention_hours=1)


@contextlib.contextmanager
def name_node(folder: Path, http_port: int, rpc_port: int) -> Iterator[None]:
    """HDFS's NameNode, which answers WebHDFS."""
    folder.mkdir(exist_ok=True)
    command = namenode_command(preflight.find_java(), jars.folder("hdfs"), folder, http_port, rpc_port)
    with running(command, http_port, folder / "log"):
        yield


@contextlib.contextmanager
def data_node(
    folder: Path, rpc_port: int, http_port: int, more: Mapping[str, str] = MappingProxyType({})
) -> Iterator[None]:
    """HDFS's DataNode, with which the NameNode at `http_port` takes files."""
    folder.mkdir(exist_ok=True)
    port = free_port()
    command = datanode_command(
        preflight.find_java(),
        jars.folder("hdfs"),
        folder,
        rpc_port,
        http_port=port,
        data_port=free_port(),
        ipc_port=free_port(),
    )
    add_to_hdfs_site(folder, more)

    def takes_a_file() -> bool:
        with contextlib.suppress(StoreUnavailable, requests.RequestException):
            store = HdfsStore([f"127.0.0.1:{http_port}"], "/usable")
            store.publish("file", b"whole")
            store.delete("file")
            return True
        return False

    with running(command, port, folder / "log"):
        wait_until(takes_a_file, seconds=60, what="a usable HDFS")
        yield


def add_to_hdfs_site(folder: Path, more: Mapping[str, str]) -> None:
    """Adds properties to the configuration of the server in a folder; they replace those of the same name."""
    path = folder / "conf" / "hdfs-site.xml"
    properties = "".join(
        f"<property><name>{name}</name><value>{value}</value></property>\n" for name, value in more.items()
    )
    site = path.read_text(encoding="utf-8")
    path.write_text(site.replace("</configuration>", f"{properties}</configuration>"), encoding="utf-8")


@contextlib.contextmanager
def rabbitmq_server(folder: Path, port: int) -> Iterator[None]:
    """A RabbitMQ that takes connections."""
    folder.mkdir(exist_ok=True)
    command = rabbitmq_command(folder, port, free_port(), free_port())

    def connects() -> bool:
        with contextlib.suppress(*AWAY), Connection(rabbitmq_url(port), connect_timeout=2) as connection:
            connection.connect()
            return True
        return False

    with running(command, port, folder / "output"):
        wait_until(connects, seconds=60, what="a usable RabbitMQ")
        yield


def rabbitmq_url(port: int) -> str:
    """The address of a RabbitMQ on loopback."""
    return f"amqp://guest:guest@127.0.0.1:{port}//"
