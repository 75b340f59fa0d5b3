"""The real stack: Kafka, HDFS, ZooKeeper, RabbitMQ and a Spark cluster, one node each, on loopback."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from deploy.native.downloads import jars
from deploy.native.folder import StateFolder
from deploy.native.servers import rabbitmq
from deploy.native.servers.datanode import DataNode
from deploy.native.servers.kafka import Kafka
from deploy.native.servers.namenode import NameNode
from deploy.native.servers.rabbitmq import RabbitMq
from deploy.native.servers.server import Server
from deploy.native.servers.spark_master import SparkMaster
from deploy.native.servers.spark_worker import SparkWorker
from deploy.native.servers.valkey import Valkey
from deploy.native.servers.zookeeper import ZooKeeper
from deploy.native.stacks.stack import Stack


class RealStack(Stack):
    """See Stack. Valkey takes RabbitMQ's place on a machine without it."""

    name = "real"
    # The slowest come first.
    servers = (
        NameNode(),
        DataNode(),
        Kafka(),
        RabbitMq(),
        Valkey(),
        SparkMaster(),
        SparkWorker(),
        ZooKeeper(),
    )

    def data(self, folder: StateFolder) -> Path:
        """See Stack."""
        return folder.root / "real"

    def usual_servers(self) -> list[Server]:
        """See Stack."""
        unused = Valkey.name if rabbitmq.rabbitmq_binary() else RabbitMq.name
        return [server for server in self.servers if server.name != unused]

    def settings(self) -> dict[str, object]:
        """Spark's Kafka connector, whoever runs the Kafka."""
        return {"spark_jars_dir": jars.folder("spark-kafka")}

    def notes(self, ports: Mapping[str, int]) -> list[str]:
        """See Stack."""
        if "valkey" not in ports:
            return []
        return ["RabbitMQ is not installed (apt-get install rabbitmq-server): Valkey takes its place"]
