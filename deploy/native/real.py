"""The real stack: Kafka, HDFS, ZooKeeper, RabbitMQ and a Spark cluster, one node each, on loopback."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from deploy.native import jars, preflight
from deploy.native.folder import StateFolder
from deploy.native.hdfs import datanode_command, namenode_command
from deploy.native.kafka import kafka_command
from deploy.native.part import Part, server_part
from deploy.native.probes import Probe, valkey_answers
from deploy.native.rabbitmq import rabbitmq_binary, rabbitmq_command
from deploy.native.real_probes import (
    datanode_answers,
    kafka_answers,
    namenode_answers,
    rabbitmq_answers,
    spark_master_answers,
    spark_worker_answers,
)
from deploy.native.spark_cluster import master_command, worker_command
from deploy.native.valkey import valkey_command
from deploy.native.versions import server_version
from deploy.native.zookeeper import zookeeper_command
from digits.settings import Settings

# The ports of each server, its own address first.
PORTS = {
    "namenode": ("namenode", "namenode-rpc"),
    "datanode": ("datanode", "datanode-data", "datanode-ipc"),
    "kafka": ("kafka", "kafka-controller"),
    "rabbitmq": ("rabbitmq", "rabbitmq-epmd", "rabbitmq-inner"),
    "valkey": ("valkey",),
    "spark-master": ("spark-master", "spark-master-web"),
    "spark-worker": ("spark-worker", "spark-worker-web"),
    "zookeeper": ("zookeeper",),
}
# A Spark worker that misses the master at first asks again after ten seconds.
NEEDS = {"spark-worker": ("spark-master",)}


class RealStack:
    """See Stack."""

    name = "real"

    def data(self, folder: StateFolder) -> Path:
        """See Stack."""
        return folder.root / "real"

    def port_names(self, settings: Settings) -> list[str]:
        """See Stack. The slowest servers come first."""
        servers = {
            "store_url": ("namenode", "datanode"),
            "log_url": ("kafka",),
            "broker_url": ("rabbitmq" if rabbitmq_binary() else "valkey",),
            "spark_master": ("spark-master", "spark-worker"),
            "coordinator_url": ("zookeeper",),
        }
        ours = [names for setting, names in servers.items() if setting not in settings.model_fields_set]
        return [port for names in ours for server in names for port in PORTS[server]]

    def addresses(self, ports: Mapping[str, int]) -> dict[str, object]:
        """See Stack."""
        urls = {
            "namenode": ("store_url", "webhdfs://127.0.0.1:{}/digits"),
            "kafka": ("log_url", "kafka://127.0.0.1:{}"),
            "rabbitmq": ("broker_url", "amqp://guest:guest@127.0.0.1:{}//"),
            "valkey": ("broker_url", "redis://127.0.0.1:{}/0"),
            "spark-master": ("spark_master", "spark://127.0.0.1:{}"),
            "zookeeper": ("coordinator_url", "zookeeper://127.0.0.1:{}/digits"),
        }
        found: dict[str, object] = {
            setting: url.format(ports[server]) for server, (setting, url) in urls.items() if server in ports
        }
        cores = {"spark_cores": os.cpu_count() or 1} if "spark-worker" in ports else {}
        return {**found, **cores, "spark_jars_dir": jars.folder("spark-kafka")}

    def servers(self, folder: Path, ports: Mapping[str, int], answers: Mapping[str, Probe]) -> list[Part]:
        """See Stack."""
        commands = _commands(folder, ports)
        return [
            server_part(
                name,
                commands[name],
                answers[name],
                ports[name],
                version=server_version(name),
                needs=NEEDS.get(name, ()),
            )
            for name in ports
            if name in PORTS
        ]

    def probes(self, ports: Mapping[str, int]) -> dict[str, Probe]:
        """See Stack."""
        made = {
            "namenode": namenode_answers,
            "kafka": kafka_answers,
            "rabbitmq": rabbitmq_answers,
            "valkey": valkey_answers,
        }
        found = {name: probe(ports[name]) for name, probe in made.items() if name in ports}
        if "datanode" in ports:
            found["datanode"] = datanode_answers(ports["namenode"])
        if "spark-master" in ports:
            found["spark-master"] = spark_master_answers(ports["spark-master-web"])
            found["spark-worker"] = spark_worker_answers(ports["spark-master-web"], ports["spark-worker"])
        return found

    def notes(self, ports: Mapping[str, int]) -> list[str]:
        """See Stack."""
        if "valkey" not in ports:
            return []
        return ["RabbitMQ is not installed (apt-get install rabbitmq-server): Valkey takes its place"]


def _commands(folder: Path, ports: Mapping[str, int]) -> dict[str, tuple[str, ...]]:
    java, spark = preflight.find_java(), preflight.spark_jars()
    commands = {}
    if "namenode" in ports:
        commands.update(_hdfs(java, folder, ports))
    if "kafka" in ports:
        place = folder / "kafka"
        commands["kafka"] = kafka_command(
            java, jars.folder("kafka"), place, ports["kafka"], ports["kafka-controller"]
        )
    if "rabbitmq" in ports:
        inner = (ports["rabbitmq-epmd"], ports["rabbitmq-inner"])
        commands["rabbitmq"] = rabbitmq_command(folder / "rabbitmq", ports["rabbitmq"], *inner)
    if "valkey" in ports:
        commands["valkey"] = valkey_command(preflight.valkey_binary(), folder / "valkey", ports["valkey"])
    if "spark-master" in ports:
        commands.update(_spark(java, spark, folder, ports))
    if "zookeeper" in ports:
        commands["zookeeper"] = zookeeper_command(java, spark, folder / "zookeeper", ports["zookeeper"])
    return commands


def _hdfs(java: str, folder: Path, ports: Mapping[str, int]) -> dict[str, tuple[str, ...]]:
    hadoop, rpc_port = jars.folder("hdfs"), ports["namenode-rpc"]
    own = {
        "http_port": ports["datanode"],
        "data_port": ports["datanode-data"],
        "ipc_port": ports["datanode-ipc"],
    }
    return {
        "namenode": namenode_command(java, hadoop, folder / "namenode", ports["namenode"], rpc_port),
        "datanode": datanode_command(java, hadoop, folder / "datanode", rpc_port, **own),
    }


def _spark(java: str, spark: Path, folder: Path, ports: Mapping[str, int]) -> dict[str, tuple[str, ...]]:
    master, own = (
        ports["spark-master"],
        {"port": ports["spark-worker"], "web_port": ports["spark-worker-web"]},
    )
    return {
        "spark-master": master_command(
            java, spark, folder / "spark-master", master, ports["spark-master-web"]
        ),
        "spark-worker": worker_command(java, spark, folder / "spark-worker", master, **own),
    }
