"""The log in Kafka: one topic a job, so that Kafka's offsets are the log's."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

from confluent_kafka import (
    IsolationLevel,
    KafkaError,
    KafkaException,
    Producer,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

from digits.adapters.kafka_addresses import wrong_address
from digits.adapters.kafka_connection import KafkaConnection
from digits.adapters.kafka_delivery import Delivery
from digits.adapters.kafka_keys import Seen, find_ends
from digits.errors import LogLost, LogUnavailable, Misconfigured
from digits.offsets import OffsetRanges
from digits.ports import StreamSource

_ANSWER_SECONDS = 10.0
_POLL_SECONDS = 0.05
_TOPICS = "digits-"
# While a partition's leader is new, or changes: a broker may hear of it later than the client did.
_BETWEEN_LEADERS = (
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.UNKNOWN_LEADER_EPOCH,
    KafkaError.FENCED_LEADER_EPOCH,
)
# A broker that has not heard of a topic yet says that there is none. So long it is asked again.
_HEARSAY_SECONDS = 3.0

_Result = TypeVar("_Result")


class _LastProblem:
    """What the clients said last. They know it and not their log, so that their threads end with that."""

    text = ""

    def note(self, error: KafkaError) -> None:
        """Their callback. That all brokers are down is said beside why each of them is."""
        if error.code() != KafkaError._ALL_BROKERS_DOWN:
            self.text = error.str()

    def __str__(self) -> str:
        return f" ({self.text})" if self.text else ""


class KafkaLog:
    """Each block's key is the offset that it is meant for, and that is the log's offset.

    A trainer that was stopped past its lease may append what the next one has appended already, and a
    broker may take a block late. Kafka prevents that in transactions alone, whose markers take offsets
    themselves. So a partition may hold a block twice: readers go by the keys, and count each once. Keys never
    skip one, since everybody appends in order, from an end that they found, and a producer leaves no gap.
    """

    def __init__(self, connection: KafkaConnection, replication_factor: int, retention_hours: int) -> None:
        self._connection = connection
        self._replication_factor = replication_factor
        self._retention_milliseconds = retention_hours * 3_600_000
        self._lock = threading.Lock()
        self._problem = _LastProblem()
        self._producer: Producer | None = None
        self._ends: dict[str, list[int]] = {}
        self._seen: dict[str, list[Seen]] = {}
        self._admin_client: AdminClient | None = None

    def __reduce__(self) -> tuple[object, ...]:
        """For another process, which connects by itself."""
        retention_hours = self._retention_milliseconds // 3_600_000
        return KafkaLog, (self._connection, self._replication_factor, retention_hours)

    def create(self, job_id: str, partition_count: int) -> None:
        """See BlockLog."""
        if self._is_there(job_id):
            return
        topic = NewTopic(
            _topic(job_id),
            num_partitions=partition_count,
            replication_factor=self._replication_factor,
            config={"cleanup.policy": "delete", "retention.ms": str(self._retention_milliseconds)},
        )
        try:
            self._answer(self._admin().create_topics([topic], request_timeout=_ANSWER_SECONDS))
        except KafkaException as error:
            if _code(error) == KafkaError.INVALID_REPLICATION_FACTOR:
                raise self._too_few_brokers(error) from error
            if _code(error) != KafkaError.TOPIC_ALREADY_EXISTS:
                raise self._unavailable("the log cannot be made", error) from error
        self._wait(lambda: self._is_ready(job_id), f"the log of {job_id} did not come up")

    def append(self, job_id: str, partition: int, first_offset: int, blocks: Sequence[bytes]) -> None:
        """See BlockLog. After an error the log may hold some of the blocks; the rest is never sent later.

        What was appended before is remembered. That it is gone, the broker shows by the place of the next
        block.
        """
        with self._lock:
            ends = self._ends.get(job_id) or self._find_ends(job_id)
            missing = blocks[max(0, ends[partition] - first_offset) :]
            try:
                self._send(job_id, partition, first_offset + len(blocks) - len(missing), missing)
            except (LogUnavailable, LogLost):
                self._ends.pop(job_id, None)
                raise
            ends[partition] = max(ends[partition], first_offset + len(blocks))
            self._ends[job_id] = ends

    def end_offsets(self, job_id: str) -> list[int]:
        """See BlockLog."""
        with self._lock:
            self._ends[job_id] = self._find_ends(job_id)
            return list(self._ends[job_id])

    def source(self, job_id: str, trained: OffsetRanges, max_blocks: int) -> StreamSource:
        """See BlockLog. Each partition starts after what was trained of its beginning.

        No block comes before its own offset, since all before it are there.
        """
        topic, partitions = _topic(job_id), range(len(self._count_messages(job_id)))
        first = {run.partition: run.end for run in trained.ranges if run.start == 0}
        starts = {str(partition): first.get(partition, 0) for partition in partitions}
        return StreamSource(
            format="kafka",
            options={
                **self._connection.spark(),
                "assign": json.dumps({topic: list(partitions)}),
                "startingOffsets": json.dumps({topic: starts}),
                "maxOffsetsPerTrigger": str(max_blocks),
                "failOnDataLoss": "true",
            },
            partition="partition",
            offset="cast(cast(key as string) as long)",
            block="value",
        )

    def delete(self, job_id: str) -> None:
        """See BlockLog."""
        with self._lock:
            self._ends.pop(job_id, None)
            self._seen.pop(job_id, None)
            # It remembers how many partitions the topic had.
            self._producer = None
        try:
            self._answer(self._admin().delete_topics([_topic(job_id)], request_timeout=_ANSWER_SECONDS))
        except KafkaException as error:
            if _code(error) == KafkaError.UNKNOWN_TOPIC_OR_PART:
                return
            raise self._unavailable("the log cannot be deleted", error) from error
        self._wait(lambda: not self._is_there(job_id), f"the log of {job_id} did not go")

    def jobs(self) -> list[str]:
        """See BlockLog. Every topic whose name begins as ours do counts: a Kafka is for one service."""
        try:
            topics = self._admin().list_topics(timeout=_ANSWER_SECONDS).topics
        except KafkaException as error:
            raise self._unavailable("the logs cannot be listed", error) from error
        return sorted(name.removeprefix(_TOPICS) for name in topics if name.startswith(_TOPICS))

    def _send(self, job_id: str, partition: int, first: int, blocks: Sequence[bytes]) -> None:
        """Appends all or raises, and then keeps nothing that is sent later."""
        producer = self._producer = self._producer or self._make_producer()
        topic, delivery = _topic(job_id), Delivery(job_id)
        try:
            for offset, block in enumerate(blocks, first):
                producer.produce(
                    topic, block, key=str(offset), partition=partition, on_delivery=delivery.heard
                )
            delivery.require_all(producer.flush(_ANSWER_SECONDS + 1))
        except (KafkaException, BufferError) as error:
            self._give_up(producer)
            raise LogUnavailable(f"Kafka's client does not take a block: {error}") from error
        except LogLost:
            self._give_up(producer)
            raise
        except LogUnavailable as error:
            self._give_up(producer)
            if self._is_gone(job_id):
                raise LogLost(job_id) from error
            raise LogUnavailable(f"{error}{self._problem}") from error
        self._problem.text = ""

    def _give_up(self, producer: Producer) -> None:
        self._producer = None
        producer.purge()
        producer.flush(0)

    def _make_producer(self) -> Producer:
        return Producer(
            {
                **self._options(),
                "acks": "all",
                "enable.idempotence": True,
                # No block is taken after one before it was not.
                "enable.gapless.guarantee": True,
                "delivery.timeout.ms": int(_ANSWER_SECONDS * 1000),
                # By default it hopes for a topic that is gone until the block's time is over.
                "topic.metadata.propagation.max.ms": int(_HEARSAY_SECONDS * 1000),
            }
        )

    def _find_ends(self, job_id: str) -> list[int]:
        counts = self._count_messages(job_id)
        seen = self._seen.get(job_id, [])
        if [each.count <= count for each, count in zip(seen, counts, strict=False)] != [True] * len(counts):
            # None yet, or of a log that was made again since.
            seen = [Seen()] * len(counts)
        self._seen[job_id] = find_ends(self._options(), _topic(job_id), counts, seen, _ANSWER_SECONDS)
        return [each.end for each in self._seen[job_id]]

    def _count_messages(self, job_id: str) -> list[int]:
        end = time.monotonic() + _ANSWER_SECONDS
        while True:
            try:
                return self._ask_ends(_topic(job_id), self._count_partitions(job_id))
            except KafkaException as error:
                is_gone = _code(error) == KafkaError.UNKNOWN_TOPIC_OR_PART
                if is_gone and time.monotonic() > end - _ANSWER_SECONDS + _HEARSAY_SECONDS:
                    raise LogLost(job_id) from error
                if not is_gone and (_code(error) not in _BETWEEN_LEADERS or time.monotonic() > end):
                    raise self._unavailable("the log cannot be read", error) from error
                time.sleep(_POLL_SECONDS)

    def _ask_ends(self, topic: str, partition_count: int) -> list[int]:
        """How many messages each partition holds; raises LogLost if its first ones are gone."""
        first = self._ask_offsets(topic, partition_count, OffsetSpec.earliest())  # type: ignore[no-untyped-call]
        if any(first):
            raise LogLost(topic.removeprefix(_TOPICS), f"lost its blocks below offset {max(first)}")
        return self._ask_offsets(topic, partition_count, OffsetSpec.latest())  # type: ignore[no-untyped-call]

    def _ask_offsets(self, topic: str, partition_count: int, which: OffsetSpec) -> list[int]:
        wanted = {TopicPartition(topic, number): which for number in range(partition_count)}
        futures = self._admin().list_offsets(
            wanted, isolation_level=IsolationLevel.READ_UNCOMMITTED, request_timeout=_ANSWER_SECONDS
        )
        return [future.result(_ANSWER_SECONDS + 1).offset for future in futures.values()]

    def _is_gone(self, job_id: str) -> bool:
        """Whether Kafka says soon that there is no such log: a producer hears of it late, or never."""
        try:
            self._count_partitions(job_id, _HEARSAY_SECONDS)
        except KafkaException as error:
            return _code(error) == KafkaError.UNKNOWN_TOPIC_OR_PART
        return False

    def _count_partitions(self, job_id: str, seconds: float = _ANSWER_SECONDS) -> int:
        """Raises KafkaException. This way of asking makes no topic if there is none."""
        topics = TopicCollection([_topic(job_id)])
        description = self._answer(self._admin().describe_topics(topics, request_timeout=seconds))
        return len(description.partitions)

    def _is_there(self, job_id: str) -> bool:
        try:
            self._count_partitions(job_id)
        except KafkaException as error:
            if _code(error) == KafkaError.UNKNOWN_TOPIC_OR_PART:
                return False
            raise self._unavailable("the log cannot be found", error) from error
        return True

    def _is_ready(self, job_id: str) -> bool:
        try:
            return bool(self._count_messages(job_id))
        except LogLost:
            return False

    def _wait(self, true: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + _ANSWER_SECONDS
        while not true():
            if time.monotonic() > end:
                raise LogUnavailable(f"{what}{self._problem}")
            time.sleep(_POLL_SECONDS)

    def _admin(self) -> AdminClient:
        if self._admin_client is None:
            try:
                self._admin_client = AdminClient(self._options())
            except KafkaException as error:
                raise Misconfigured(
                    "Kafka's client does not take its settings, or a machine that appends lacks a file of "
                    f"DIGITS_KAFKA_SSL_CA_FILE, …_CERTIFICATE_FILE or …_KEY_FILE: {error.args[0].str()}"
                ) from error
        return self._admin_client

    def _answer(self, futures: Mapping[str, Future[_Result]]) -> _Result:
        """The answer about the one topic that was asked about; raises KafkaException."""
        (future,) = futures.values()
        return future.result(_ANSWER_SECONDS + 1)

    def _options(self) -> dict[str, Any]:
        # librdkafka would write its log to standard error.
        return {**self._connection.librdkafka(), "error_cb": self._problem.note, "log_level": 0}

    def _too_few_brokers(self, error: KafkaException) -> Misconfigured:
        return Misconfigured(
            f"DIGITS_KAFKA_REPLICATION_FACTOR: a job's log is to be on {self._replication_factor} brokers, "
            f"which Kafka does not have ({error.args[0].str()})"
        )

    def _unavailable(self, what: str, error: KafkaException) -> LogUnavailable:
        """Kafka does not answer; raises Misconfigured if it sends its clients where nobody answers."""
        self._admin().poll(0)
        if problem := wrong_address(self._options()):
            raise Misconfigured(problem)
        return LogUnavailable(f"{what}: {error.args[0].str()}{self._problem}")


def _topic(job_id: str) -> str:
    return _TOPICS + job_id


def _code(error: KafkaException) -> int:
    return int(error.args[0].code())
