"""The configuration and the commands of the real servers, before anything is started."""

from __future__ import annotations

import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

import pytest

from deploy.native.errors import CannotStart
from deploy.native.servers.datanode import DataNode
from deploy.native.servers.kafka import Kafka
from deploy.native.servers.namenode import NameNode
from deploy.native.servers.rabbitmq import RabbitMq
from deploy.native.servers.spark_master import SparkMaster
from deploy.native.servers.spark_worker import SparkWorker

NAMENODE = {"namenode": 9870, "namenode-rpc": 8020}
DATANODE = {"datanode": 9864, "datanode-data": 9866, "datanode-ipc": 9867}
RABBITMQ = {"rabbitmq": 5672, "rabbitmq-epmd": 4370, "rabbitmq-inner": 25672}
SPARK = {"spark-master": 7077, "spark-master-web": 8080, "spark-worker": 7078, "spark-worker-web": 8081}


@pytest.fixture(autouse=True)
def jars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with a Java, and jars that cost nothing."""
    folder = tmp_path / "jars"
    folder.mkdir()
    monkeypatch.setattr("deploy.native.servers.java.find_java", lambda: "java")
    monkeypatch.setattr("deploy.native.servers.java.spark_jars", lambda: folder)
    monkeypatch.setattr("deploy.native.downloads.jars.folder", lambda _name: folder)
    with zipfile.ZipFile(folder / "hadoop-client-minicluster-3.5.0.jar", "w") as jar:
        jar.writestr("webapps/hdfs/WEB-INF/web.xml", "<web-app/>")
        jar.writestr("org/apache/Other.class", "")


def properties(path: Path) -> dict[str, str]:
    """A Hadoop configuration file."""
    found = ET.parse(path).getroot().findall("property")  # noqa: S314
    return {str(p.findtext("name")): str(p.findtext("value")) for p in found}


def test_kafka_listens_on_loopback_keeps_its_data_below_the_folder_and_makes_no_topic_unasked(
    tmp_path: Path,
) -> None:
    command = Kafka().command(tmp_path / "kafka", {"kafka": 9092, "kafka-controller": 9093})
    lines = Path(command[-1]).read_text(encoding="utf-8").splitlines()
    given = dict(line.split("=", 1) for line in lines)
    assert given["listeners"] == "PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093"
    assert given["log.dirs"] == str(tmp_path / "kafka" / "data")
    assert given["auto.create.topics.enable"] == "false"
    assert {value for name, value in given.items() if name.endswith("replication.factor")} == {"1"}


def test_the_namenode_and_the_datanode_find_each_other_on_loopback(tmp_path: Path) -> None:
    NameNode().command(tmp_path / "namenode", NAMENODE | DATANODE)
    DataNode().command(tmp_path / "datanode", NAMENODE | DATANODE)
    name, data = (properties(tmp_path / server / "conf/hdfs-site.xml") for server in ("namenode", "datanode"))
    core = properties(tmp_path / "datanode/conf/core-site.xml")
    assert core["fs.defaultFS"] == f"hdfs://{name['dfs.namenode.rpc-address']}" == "hdfs://127.0.0.1:8020"
    addresses = [value for site in (name, data) for key, value in site.items() if key.endswith("address")]
    assert len(addresses) == 5
    assert {address.split(":")[0] for address in addresses} == {"127.0.0.1"}


def test_the_web_pages_lie_before_the_jars_so_that_nothing_has_to_be_unpacked_at_each_start(
    tmp_path: Path,
) -> None:
    command = NameNode().command(tmp_path / "namenode", NAMENODE)
    first = Path(command[command.index("-cp") + 1].split(":")[0])
    assert (first / "webapps/hdfs/WEB-INF/web.xml").exists()
    assert not (first / "org").exists()


def test_rabbitmq_keeps_everything_below_the_folder_and_waits_longer_than_the_longest_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.native.servers.rabbitmq.rabbitmq_binary", lambda: Path("rabbitmq-server"))
    command = RabbitMq().command(tmp_path / "rabbitmq", RABBITMQ)
    variables = dict(word.split("=", 1) for word in command[1 : command.index("sh")])
    kept = {name: value for name, value in variables.items() if "/" in value and value != "/dev/null"}
    assert {"HOME", "RABBITMQ_MNESIA_BASE", "RABBITMQ_LOG_BASE"} <= set(kept)
    assert all(value.startswith(str(tmp_path / "rabbitmq")) for value in kept.values())
    lines = (tmp_path / "rabbitmq" / "rabbitmq.conf").read_text(encoding="utf-8").splitlines()
    given = dict(line.split(" = ") for line in lines)
    assert given["listeners.tcp.1"] == "127.0.0.1:5672"
    assert int(given["consumer_timeout"]) >= 24 * 3600 * 1000


def test_a_machine_without_rabbitmq_is_told_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.native.servers.rabbitmq.rabbitmq_binary", lambda: None)
    with pytest.raises(CannotStart, match="apt-get install rabbitmq-server"):
        RabbitMq().command(tmp_path, RABBITMQ)


def test_the_worker_joins_the_master_with_every_core_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 3)
    master = SparkMaster().command(tmp_path / "master", SPARK)
    worker = SparkWorker().command(tmp_path / "worker", SPARK)
    assert master[-6:-2] == ("--host", "127.0.0.1", "--port", "7077")
    assert worker[-1] == "spark://127.0.0.1:7077"
    assert worker[worker.index("--cores") + 1] == "3"


def test_a_new_master_forgets_the_applications_of_an_earlier_start(tmp_path: Path) -> None:
    old = tmp_path / "recovery" / "app_1"
    old.parent.mkdir()
    old.touch()
    SparkMaster().command(tmp_path, SPARK)
    assert not old.exists()
