"""A real Kafka with TLS and logins, as seen by both of our clients: librdkafka and Spark's."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import trustme
from pyspark.sql import SparkSession

from digits.adapters.kafka_connection import KafkaConnection
from digits.errors import LogUnavailable
from digits.offsets import OffsetRanges
from digits.settings import Settings
from spark_jobs import session
from tests.conformance.conftest import jars_of
from tests.secure_kafka import MECHANISMS, SecureKafka, secure_log


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    folder, connector = tmp_path_factory.mktemp("spark"), jars_of("spark-kafka")
    settings = Settings(spark_master="local[1]", spark_jars_dir=connector, var_dir=folder)
    with session.start(settings) as spark:
        yield spark


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_spark_reads_what_we_append_over_tls(
    secure_kafka: SecureKafka, spark: SparkSession, mechanism: str
) -> None:
    log, job = secure_log(secure_kafka.connection(mechanism)), f"spark-{mechanism}"
    log.create(job, 1)
    log.append(job, 0, 0, [b"a", b"b", b"c"])
    source = log.source(job, OffsetRanges.of([(0, 0)]), max_blocks=10)
    frame = spark.read.format(source.format).options(**source.options).load()
    rows = frame.selectExpr(f"{source.offset} as offset", f"{source.block} as block").collect()
    assert [tuple(row) for row in rows] == [(1, b"b"), (2, b"c")]


@pytest.fixture(scope="module")
def problems(secure_kafka: SecureKafka, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Why a log cannot be made, by what is wrong; asked all at once, since each goes on trying for 10 s."""
    stranger = tmp_path_factory.mktemp("stranger") / "ca.pem"
    trustme.CA().cert_pem.write_to_path(stranger)
    good, wrong = secure_kafka.connection(), "guessed"
    connections = {
        "PLAIN": secure_kafka.connection("PLAIN", wrong),
        "SCRAM-SHA-512": secure_kafka.connection("SCRAM-SHA-512", wrong),
        "authority": dataclasses.replace(good, ssl_ca_file=str(stranger)),
        "certificate": dataclasses.replace(good, ssl_certificate_file="", ssl_key_file=""),
    }
    with ThreadPoolExecutor(len(connections)) as threads:
        return dict(zip(connections, threads.map(_problem, connections.values()), strict=True))


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
def test_a_wrong_password_is_said_to_be_one(problems: dict[str, str], mechanism: str) -> None:
    assert "uthentication failed" in problems[mechanism]
    assert "guessed" not in problems[mechanism]


def test_a_broker_that_our_authority_does_not_know_is_not_believed(problems: dict[str, str]) -> None:
    assert "certificate verify failed" in problems["authority"]


def test_a_client_without_a_certificate_is_told_so(problems: dict[str, str]) -> None:
    assert "certificate" in problems["certificate"]


def _problem(connection: KafkaConnection) -> str:
    """Why a log cannot be made; said in seconds."""
    started = time.monotonic()
    with pytest.raises(LogUnavailable) as failure:
        secure_log(connection).create("refused", 1)
    assert time.monotonic() - started < 20
    return str(failure.value)
