"""The configuration and the commands of the real servers, before anything is started."""

from __future__ import annotations

import subprocess
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

import pytest

from deploy.native.hdfs import datanode_command, namenode_command
from deploy.native.jvm import once
from deploy.native.kafka import kafka_command


@pytest.fixture
def hdfs_jars(tmp_path: Path) -> Path:
    folder = tmp_path / "jars"
    folder.mkdir()
    with zipfile.ZipFile(folder / "hadoop-client-minicluster-3.5.0.jar", "w") as jar:
        jar.writestr("webapps/hdfs/WEB-INF/web.xml", "<web-app/>")
        jar.writestr("org/apache/Other.class", "")
    return folder


def properties(path: Path) -> dict[str, str]:
    """A Hadoop configuration file."""
    found = ET.parse(path).getroot().findall("property")  # noqa: S314
    return {str(p.findtext("name")): str(p.findtext("value")) for p in found}


def test_what_is_done_once_is_not_done_again_and_is_repeated_where_it_failed(tmp_path: Path) -> None:
    marker, log = tmp_path / "formatted", tmp_path / "log"
    add = ("sh", "-c", 'echo "$1" >> "$0"; exit "$2"', str(log))
    for code in ("1", "0", "0"):
        subprocess.run(once(marker, (*add, "a format", code), (*add, "serve", "0")), check=False)
    assert log.read_text(encoding="utf-8").split("\n") == ["a format", "a format", "serve", "serve", ""]


def test_kafka_listens_on_loopback_keeps_its_data_below_the_folder_and_makes_no_topic_unasked(
    tmp_path: Path,
) -> None:
    command = kafka_command("java", tmp_path / "jars", tmp_path / "kafka", 9092, 9093)
    lines = Path(command[-1]).read_text(encoding="utf-8").splitlines()
    given = dict(line.split("=", 1) for line in lines)
    assert given["listeners"] == "PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093"
    assert given["log.dirs"] == str(tmp_path / "kafka" / "data")
    assert given["auto.create.topics.enable"] == "false"
    assert {value for name, value in given.items() if name.endswith("replication.factor")} == {"1"}


def test_the_namenode_and_the_datanode_find_each_other_on_loopback(tmp_path: Path, hdfs_jars: Path) -> None:
    namenode_command("java", hdfs_jars, tmp_path / "namenode", 9870, 8020)
    datanode_command(
        "java", hdfs_jars, tmp_path / "datanode", 8020, http_port=9864, data_port=9866, ipc_port=9867
    )
    name, data = (properties(tmp_path / part / "conf/hdfs-site.xml") for part in ("namenode", "datanode"))
    core = properties(tmp_path / "datanode/conf/core-site.xml")
    assert core["fs.defaultFS"] == f"hdfs://{name['dfs.namenode.rpc-address']}" == "hdfs://127.0.0.1:8020"
    addresses = [value for site in (name, data) for key, value in site.items() if key.endswith("address")]
    assert len(addresses) == 5
    assert {address.split(":")[0] for address in addresses} == {"127.0.0.1"}


def test_the_web_pages_lie_before_the_jars_so_that_nothing_has_to_be_unpacked_at_each_start(
    tmp_path: Path, hdfs_jars: Path
) -> None:
    command = namenode_command("java", hdfs_jars, tmp_path / "namenode", 9870, 8020)
    first = Path(command[command.index("-cp") + 1].split(":")[0])
    assert (first / "webapps/hdfs/WEB-INF/web.xml").exists()
    assert not (first / "org").exists()
