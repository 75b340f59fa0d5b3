"""What only a log in Kafka meets: late blocks, brokers that go away, and readers that are not ours."""

from __future__ import annotations

import gc
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from deploy.native.servers.kafka import Kafka
from digits.adapters import kafka_keys
from digits.adapters.kafka import KafkaLog
from digits.adapters.kafka_connection import KafkaConnection
from digits.datasets.shards import Images
from digits.errors import Corrupt, LogLost, LogUnavailable, Misconfigured
from digits.offsets import OffsetRanges
from digits.settings import Settings
from digits.training import blocks
from spark_jobs import session
from tests.conformance.conftest import jars_of
from tests.ports import free_port
from tests.processes import running
from tests.servers import kafka_log, kafka_server

Offsets = dict[TopicPartition, Any]


def test_a_block_that_a_broker_takes_late_is_no_second_block(kafka: str) -> None:
    log = kafka_log(kafka)
    log.create("late", 1)
    log.append("late", 0, 0, [b"a"])
    # As if the producer of an earlier attempt had sent it: the log does not know.
    _produce(kafka, "digits-late", b"b", key="1")
    log.append("late", 0, 1, [b"b", b"c"])
    _produce(kafka, "digits-late", b"b", key="1")
    assert log.end_offsets("late") == [3]
    assert kafka_log(kafka).end_offsets("late") == [3]
    log.delete("late")


def test_of_a_partition_that_holds_a_block_twice_nothing_is_read_twice(
    kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_from: list[int] = []

    class Watched(Consumer):
        def assign(self, partitions: list[TopicPartition]) -> None:
            read_from.extend(partition.offset for partition in partitions)
            super().assign(partitions)

    monkeypatch.setattr(kafka_keys, "Consumer", Watched)
    log = kafka_log(kafka)
    log.create("twice", 1)
    log.append("twice", 0, 0, [b"a", b"b"])
    _produce(kafka, "digits-twice", b"b", key="1")
    assert log.end_offsets("twice") == [2]
    log.append("twice", 0, 2, [b"c"])
    read_from.clear()
    assert log.end_offsets("twice") == [3]
    assert read_from == [3]
    # Somebody else made it again, and with less in it.
    other = kafka_log(kafka)
    other.delete("twice")
    other.create("twice", 1)
    other.append("twice", 0, 0, [b"a"])
    assert log.end_offsets("twice") == [1]
    log.delete("twice")


def test_what_others_wrote_into_the_topic_is_no_block(kafka: str) -> None:
    log = kafka_log(kafka)
    log.create("others", 1)
    _produce(kafka, "digits-others", b"?", key="a word")
    with pytest.raises(Corrupt, match="a word"):
        log.end_offsets("others")
    log.delete("others")


def test_a_log_whose_first_blocks_were_removed_is_lost_and_can_be_made_again(kafka: str) -> None:
    log = kafka_log(kafka)
    log.create("short", 1)
    log.append("short", 0, 0, [b"a", b"b", b"c"])
    # As Kafka does by itself once they are too old.
    first_kept = TopicPartition("digits-short", 0, 2)
    admin = AdminClient({"bootstrap.servers": kafka})
    admin.delete_records([first_kept])[first_kept].result(10)
    with pytest.raises(LogLost, match="lost its blocks below offset 2"):
        log.end_offsets("short")
    log.delete("short")
    log.create("short", 1)
    assert log.end_offsets("short") == [0]
    log.delete("short")


def test_more_copies_than_there_are_brokers_are_said_to_be_a_wrong_setting(kafka: str) -> None:
    log = KafkaLog(KafkaConnection((kafka,)), replication_factor=3, retention_hours=1)
    with pytest.raises(Misconfigured, match="DIGITS_KAFKA_REPLICATION_FACTOR: a job's log is to be on 3"):
        log.create("copies", 1)


def test_a_kafka_that_sends_its_clients_where_nobody_answers_is_said_to_do_so(tmp_path: Path) -> None:
    port, nowhere = free_port(), free_port()
    command = Kafka().command(tmp_path, {"kafka": port, "kafka-controller": free_port()})
    with (tmp_path / "server.properties").open("a", encoding="utf-8") as configuration:
        configuration.write(f"advertised.listeners=PLAINTEXT://127.0.0.1:{nowhere}\n")
    with running(command, port, tmp_path / "log"):
        log = kafka_log(f"127.0.0.1:{port}")
        started = time.monotonic()
        with pytest.raises(
            Misconfigured, match=f"says that it is at 127.0.0.1:{nowhere}, where nobody answers"
        ):
            log.create("job", 1)
        assert time.monotonic() - started < 60


@pytest.mark.parametrize(
    "code",
    [
        KafkaError.UNKNOWN_LEADER_EPOCH,
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
    ],
)
def test_a_broker_that_has_not_heard_of_a_topic_or_its_leader_yet_is_asked_again(
    kafka: str, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    log, behind = kafka_log(kafka), [KafkaException(KafkaError(code))]
    ask = AdminClient.list_offsets

    def ask_late(admin: AdminClient, wanted: Offsets, **options: Any) -> Offsets:
        answers: Offsets = ask(admin, wanted, **options)
        if behind:
            answers = {partition: Future() for partition in wanted}
            answers[next(iter(wanted))].set_exception(behind.pop())
        return answers

    # No real broker is behind at will.
    monkeypatch.setattr(AdminClient, "list_offsets", ask_late)
    log.create("behind", 2)
    assert (log.end_offsets("behind"), behind) == ([0, 0], [])
    log.delete("behind")


def test_what_a_kafka_that_is_away_did_not_take_is_never_sent_later(tmp_path: Path) -> None:
    port = free_port()
    log = kafka_log(f"127.0.0.1:{port}")
    with kafka_server(tmp_path / "kafka", port):
        log.create("job", 1)
        log.append("job", 0, 0, [b"a"])
    started = time.monotonic()
    with pytest.raises(LogUnavailable, match="onnect"):
        log.append("job", 0, 1, [b"b"])
    assert time.monotonic() - started < 15
    with kafka_server(tmp_path / "kafka", port):
        log.append("job", 0, 1, [b"b", b"c"])
        log.append("job", 0, 3, [b"d"])
        assert log.end_offsets("job") == [4]
        assert [message.value() for message in _read(f"127.0.0.1:{port}", "digits-job", 4)] == [
            b"a",
            b"b",
            b"c",
            b"d",
        ]


def test_a_plain_consumer_reads_the_images(kafka: str) -> None:
    log = kafka_log(kafka)
    images = Images(np.arange(64 * 784).reshape(64, 784).astype(np.uint8), np.arange(64, dtype=np.uint8) % 10)
    log.create("plain", 1)
    log.append("plain", 0, 0, [blocks.pack(images)] * 3)
    messages = _read(kafka, "digits-plain", 3)
    assert [(message.offset(), message.key()) for message in messages] == [(0, b"0"), (1, b"1"), (2, b"2")]
    read = blocks.unpack(messages[2].value())
    assert np.array_equal(read.pixels, images.pixels) and np.array_equal(read.labels, images.labels)
    log.delete("plain")


def test_spark_starts_behind_what_was_trained_from_the_start_of_each_partition(kafka: str) -> None:
    log = kafka_log(kafka)
    log.create("source", 3)
    log.append("source", 0, 0, [b"a", b"b", b"c"])
    source = log.source("source", OffsetRanges.of([(0, 0), (0, 1), (1, 1)]), max_blocks=7)
    assert source.options == {
        "kafka.bootstrap.servers": kafka,
        "kafka.security.protocol": "PLAINTEXT",
        "assign": '{"digits-source": [0, 1, 2]}',
        "startingOffsets": '{"digits-source": {"0": 2, "1": 0, "2": 0}}',
        "maxOffsetsPerTrigger": "7",
        "failOnDataLoss": "true",
    }
    log.delete("source")


def test_spark_reads_each_block_at_the_offset_that_it_is_meant_for(kafka: str, tmp_path: Path) -> None:
    log = kafka_log(kafka)
    log.create("spark", 1)
    log.append("spark", 0, 0, [b"a", b"b", b"c"])
    connector = jars_of("spark-kafka")
    with session.start(
        Settings(spark_master="local[1]", spark_jars_dir=connector, var_dir=tmp_path)
    ) as spark:
        source = log.source("spark", OffsetRanges.of([(0, 0)]), max_blocks=10)
        columns = (
            f"{source.partition} as partition",
            f"{source.offset} as offset",
            f"{source.block} as block",
        )
        rows = spark.read.format(source.format).options(**source.options).load().selectExpr(*columns)
        assert [tuple(row) for row in rows.collect()] == [(0, 1, b"b"), (0, 2, b"c")]
        _produce(kafka, "digits-spark", b"c", key="2")
        log.append("spark", 0, 3, [b"d"])
        assert [tuple(row) for row in rows.collect()] == [
            (0, 1, b"b"),
            (0, 2, b"c"),
            (0, 2, b"c"),
            (0, 3, b"d"),
        ]
    log.delete("spark")


def test_a_kafka_that_was_never_there_is_said_to_be_away_and_why() -> None:
    with pytest.raises(LogUnavailable, match="Connection refused"):
        kafka_log(f"127.0.0.1:{free_port()}").create("job", 1)


def test_a_log_that_nobody_holds_any_more_leaves_no_thread(
    kafka: str, request: pytest.FixtureRequest
) -> None:
    made = kafka_log(kafka)
    made.create("short", 1)
    gc.collect()
    # An executor has a log for each shard, and makes little garbage.
    gc.disable()
    request.addfinalizer(gc.enable)
    threads = Path("/proc/self/task")
    before = len(list(threads.iterdir()))
    log = kafka_log(kafka)
    log.append("short", 0, 0, [b"a"])
    assert log.end_offsets("short") == [1]
    del log
    assert len(list(threads.iterdir())) <= before
    made.delete("short")


def test_both_clients_are_told_who_we_are(tmp_path: Path) -> None:
    for name in ("ca", "certificate", "key"):
        (tmp_path / name).write_text(f"PEM of {name}")
    connection = KafkaConnection(
        ("a:1", "b:2"),
        security_protocol="SASL_SSL",
        sasl_mechanism="SCRAM-SHA-512",
        sasl_username="digits",
        sasl_password='se"cret',  # noqa: S106
        ssl_ca_file=str(tmp_path / "ca"),
        ssl_certificate_file=str(tmp_path / "certificate"),
        ssl_key_file=str(tmp_path / "key"),
    )
    assert connection.librdkafka() == {
        "bootstrap.servers": "a:1,b:2",
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "digits",
        "sasl.password": 'se"cret',
        "ssl.ca.location": str(tmp_path / "ca"),
        "ssl.certificate.location": str(tmp_path / "certificate"),
        "ssl.key.location": str(tmp_path / "key"),
    }
    assert connection.spark() == {
        "kafka.bootstrap.servers": "a:1,b:2",
        "kafka.security.protocol": "SASL_SSL",
        "kafka.sasl.mechanism": "SCRAM-SHA-512",
        "kafka.sasl.jaas.config": "org.apache.kafka.common.security.scram.ScramLoginModule required "
        'username="digits" password="se\\"cret";',
        "kafka.ssl.truststore.type": "PEM",
        "kafka.ssl.truststore.certificates": "PEM of ca",
        "kafka.ssl.keystore.type": "PEM",
        "kafka.ssl.keystore.certificate.chain": "PEM of certificate",
        "kafka.ssl.keystore.key": "PEM of key",
    }
    assert "cret" not in repr(connection)


def _produce(brokers: str, topic: str, value: bytes, key: str) -> None:
    producer = Producer({"bootstrap.servers": brokers})
    producer.produce(topic, value, key=key, partition=0)
    assert producer.flush(10) == 0


def _read(brokers: str, topic: str, count: int) -> list:  # type: ignore[type-arg]
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": "somebody"})
    consumer.assign([TopicPartition(topic, 0, 0)])
    try:
        return consumer.consume(count, timeout=20)
    finally:
        consumer.close()
