"""Another user of this machine, who reaches every port of the real stack and knows no secret."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import amqp
import pytest
from confluent_kafka.admin import AdminClient

from tests.conftest import missing
from tests.service import Service
from tests.strangers import hears_nothing_of_zookeeper, secrets_shown
from tests.waiting import wait_until

STRANGER = """
import sys
from pyspark.sql import SparkSession
spark = SparkSession.builder.master(sys.argv[1]).config("spark.ui.enabled", "false").getOrCreate()
print("taken", spark.range(3).count(), flush=True)
"""


def test_zookeeper_tells_a_stranger_nothing(real_service: Service) -> None:
    hears_nothing_of_zookeeper(real_service)


def test_kafka_tells_a_stranger_nothing(real_service: Service) -> None:
    silent = {"log_level": 0, "error_cb": lambda _error: None}
    address = urlsplit(real_service.settings().log).netloc
    with pytest.raises(Exception, match="Failed to get metadata"):
        AdminClient({"bootstrap.servers": address, **silent}).list_topics(timeout=3)


def test_rabbitmq_knows_no_guest(real_service: Service) -> None:
    url = urlsplit(real_service.settings().broker_url)
    if url.scheme != "amqp":
        missing("RabbitMQ")
    with pytest.raises(amqp.AccessRefused):
        amqp.Connection(f"127.0.0.1:{url.port}", "guest", "guest").connect()


def test_spark_runs_nothing_for_a_stranger(real_service: Service, tmp_path: Path) -> None:
    master = real_service.settings().spark_master
    log = tmp_path / "log"
    with log.open("wb") as output:
        stranger = subprocess.Popen(
            [sys.executable, "-c", STRANGER, master],
            stdout=output,
            stderr=output,
            cwd=tmp_path,
            env={**os.environ, "SPARK_LOCAL_IP": "127.0.0.1"},
        )
        try:
            wait_until(lambda: "Failed to connect to master" in log.read_text(), seconds=60, what="a refusal")
        finally:
            stranger.kill()
            stranger.wait()
    assert "taken" not in log.read_text()


def test_no_secret_is_on_a_command_line_in_the_record_or_in_a_log(real_service: Service) -> None:
    assert secrets_shown(real_service) == []
