"""The real servers as tests start them: natively, on loopback, each usable when its block is entered."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import requests

from deploy.native.servers.datanode import DataNode
from deploy.native.servers.kafka import Kafka
from deploy.native.servers.namenode import NameNode
from deploy.native.servers.rabbitmq import RabbitMq
from deploy.native.servers.server import OPEN
from deploy.native.servers.valkey import Valkey
from deploy.native.servers.zookeeper import ZooKeeper
from digits.adapters.hdfs import HdfsStore
from digits.adapters.kafka import KafkaLog
from digits.adapters.kafka_connection import KafkaConnection
from digits.errors import LogUnavailable, StoreUnavailable
from tests.ports import free_port
from tests.processes import running
from tests.waiting import wait_until


@contextlib.contextmanager
def zookeeper_server(
    folder: Path, port: int, secrets: Mapping[str, str] = OPEN, more: Mapping[str, str] = OPEN
) -> Iterator[None]:
    """A ZooKeeper that serves: it takes connections before, and hangs up on them."""
    folder.mkdir(exist_ok=True)
    command = ZooKeeper().command(folder, {"zookeeper": port}, secrets)
    with (folder / "zoo.cfg").open("a", encoding="utf-8") as configuration:
        configuration.writelines(f"{name}={value}\n" for name, value in more.items())
    with running(command, port, folder / "log"):
        wait_until(lambda: zookeeper_mode(port) == "standalone", what="a ZooKeeper that serves")
        yield


def zookeeper_mode(port: int) -> str:
    """What a ZooKeeper says that it is: standalone, leader, follower, or nothing; asked with `srvr`."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(b"srvr")
            answer = b"".join(iter(lambda: connection.recv(4096), b"")).decode()
    except OSError:
        return ""
    return answer.partition("Mode: ")[2].partition("\n")[0]


@contextlib.contextmanager
def valkey_server(folder: Path, port: int, secrets: Mapping[str, str] = OPEN) -> Iterator[None]:
    """A Valkey that takes connections."""
    folder.mkdir(exist_ok=True)
    with running(Valkey().command(folder, {"valkey": port}, secrets), port, folder / "log"):
        yield


@contextlib.contextmanager
def kafka_server(folder: Path, port: int, more: Mapping[str, str] = MappingProxyType({})) -> Iterator[None]:
    """A Kafka that takes a block."""
    folder.mkdir(exist_ok=True)
    command = Kafka().command(folder, {"kafka": port, "kafka-controller": free_port()})
    # Of a property that comes twice, the last one holds.
    with (folder / "server.properties").open("a", encoding="utf-8") as configuration:
        configuration.writelines(f"{name}={value}\n" for name, value in more.items())
    log = kafka_log(f"127.0.0.1:{port}")

    def takes_a_block() -> bool:
        with contextlib.suppress(LogUnavailable):
            log.create("usable", 1)
            log.append("usable", 0, 0, [b""])
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
def name_node(
    folder: Path, http_port: int, rpc_port: int, more: Mapping[str, str] = MappingProxyType({})
) -> Iterator[None]:
    """HDFS's NameNode, which answers WebHDFS."""
    folder.mkdir(exist_ok=True)
    command = NameNode().command(folder, {"namenode": http_port, "namenode-rpc": rpc_port})
    add_to_hdfs_site(folder, more)
    with running(command, http_port, folder / "log"):
        yield


@contextlib.contextmanager
def data_node(
    folder: Path, rpc_port: int, http_port: int, more: Mapping[str, str] = MappingProxyType({})
) -> Iterator[None]:
    """HDFS's DataNode, with which the NameNode at `http_port` takes files."""
    folder.mkdir(exist_ok=True)
    port = free_port()
    own = {"datanode": port, "datanode-data": free_port(), "datanode-ipc": free_port()}
    command = DataNode().command(folder, {**own, "namenode-rpc": rpc_port})
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
def rabbitmq_server(
    folder: Path, port: int, secrets: Mapping[str, str] = OPEN, more: Mapping[str, str] = OPEN
) -> Iterator[None]:
    """A RabbitMQ that takes connections."""
    folder.mkdir(exist_ok=True)
    ports = {"rabbitmq": port, "rabbitmq-epmd": free_port(), "rabbitmq-inner": free_port()}
    command = RabbitMq().command(folder, ports, secrets)
    with (folder / "rabbitmq.conf").open("a", encoding="utf-8") as configuration:
        configuration.writelines(f"{name} = {value}\n" for name, value in more.items())
    with running(command, port, folder / "output"):
        wait_until(lambda: RabbitMq().answers(ports, secrets), seconds=60, what="a usable RabbitMQ")
        yield


def rabbitmq_url(port: int) -> str:
    """The address of a RabbitMQ on loopback."""
    return f"amqp://guest:guest@127.0.0.1:{port}//"
