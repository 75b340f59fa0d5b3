"""The log in Kafka: one topic a job, so that Kafka's offsets are the log's."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

from confluent_kafka import (
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

from digits.adapters.kafka_connection import KafkaConnection
from digits.errors import LogUnavailable, NotFound
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

_Result = TypeVar("_Result")


class KafkaLog:
    """Each block's key is the offset that it was meant for.

    A block that a broker took so late that the next attempt had appended it again would shift all that
    follow. Kafka prevents that in transactions alone, whose markers take offsets themselves. So nobody trusts
    a block whose key is not its offset: `append` raises, Spark refuses to read it, `create` replaces the log.
    """

    def __init__(self, connection: KafkaConnection, replication_factor: int, retention_hours: int) -> None:
        self._connection = connection
        self._replication_factor = replication_factor
        self._retention_milliseconds = retention_hours * 3_600_000
        self._lock = threading.Lock()
        self._problem = ""
        self._producer: Producer | None = None
        self._ends: dict[str, list[int]] = {}
        self._admin_client: AdminClient | None = None

    def create(self, job_id: str, partition_count: int) -> None:
        """See BlockLog."""
        if self._is_there(job_id):
            if self._is_whole(job_id):
                return
            self.delete(job_id)
        topic = NewTopic(
            _topic(job_id),
            num_partitions=partition_count,
            replication_factor=self._replication_factor,
            config={"cleanup.policy": "delete", "retention.ms": str(self._retention_milliseconds)},
        )
        try:
            self._answer(self._admin().create_topics([topic], request_timeout=_ANSWER_SECONDS))
        except KafkaException as error:
            if _code(error) != KafkaError.TOPIC_ALREADY_EXISTS:
                raise self._unavailable("the log cannot be made", error) from error
        self._wait(lambda: self._is_ready(job_id), f"the log of {job_id} did not come up")

    def append(self, job_id: str, partition: int, blocks: Sequence[bytes]) -> None:
        """See BlockLog. After an error the log may hold some of the blocks: ask `end_offsets` how many."""
        with self._lock:
            ends = self._ends.get(job_id) or self._find_ends(job_id)
            try:
                self._send(_topic(job_id), partition, ends[partition], blocks)
            except LogUnavailable:
                self._ends.pop(job_id, None)
                raise
            ends[partition] += len(blocks)
            self._ends[job_id] = ends

    def end_offsets(self, job_id: str) -> list[int]:
        """See BlockLog."""
        with self._lock:
            self._ends[job_id] = self._find_ends(job_id)
            return list(self._ends[job_id])

    def source(self, job_id: str, trained: OffsetRanges, max_blocks: int) -> StreamSource:
        """See BlockLog. Each partition starts behind what was trained of its beginning; the reader leaves
        out the rest."""
        topic, partitions = _topic(job_id), range(len(self.end_offsets(job_id)))
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
            offset="offset",
            block="if(cast(key as string) = cast(offset as string), value, "
            "cast(raise_error('the log holds a block twice') as binary))",
        )

    def delete(self, job_id: str) -> None:
        """See BlockLog."""
        with self._lock:
            self._ends.pop(job_id, None)
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

    def _send(self, topic: str, partition: int, first: int, blocks: Sequence[bytes]) -> None:
        """Appends all or raises, and then leaves nothing behind that is sent later."""
        producer = self._producer = self._producer or self._make_producer()
        delivery = _Delivery()
        try:
            for offset, block in enumerate(blocks, first):
                note = delivery.note(offset)
                producer.produce(topic, block, key=str(offset), partition=partition, on_delivery=note)
        except (KafkaException, BufferError) as error:
            self._give_up(producer)
            raise LogUnavailable(f"Kafka's client does not take a block: {error}") from error
        left = producer.flush(_ANSWER_SECONDS + 1)
        if delivery.error or left:
            self._give_up(producer)
            reason = delivery.error.str() if delivery.error else "no answer in time"
            raise LogUnavailable(f"Kafka did not take a block: {reason}{self._last_problem()}")
        self._problem = ""
        if delivery.misplaced:
            raise LogUnavailable("the log got a block twice, and is made anew with the next attempt")

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
                "delivery.timeout.ms": int(_ANSWER_SECONDS * 1000),
            }
        )

    def _is_whole(self, job_id: str) -> bool:
        """Whether each partition's last block is where it was meant to be: then all are.

        Each attempt appends in order, from an end that it found whole. So keys are never ahead of their
        offsets, and fall behind from the first block on that was appended twice.
        """
        ends = self.end_offsets(job_id)
        wanted = [TopicPartition(_topic(job_id), number, end - 1) for number, end in enumerate(ends) if end]
        return all(message.key() == str(message.offset()).encode() for message in self._fetch(wanted))

    def _fetch(self, wanted: Sequence[TopicPartition]) -> list[Message]:
        """The messages at some offsets, one for each partition."""
        consumer = Consumer({**self._options(), "group.id": "digits", "enable.auto.commit": False})
        found: dict[int, Message] = {}
        end = time.monotonic() + _ANSWER_SECONDS
        try:
            consumer.assign(list(wanted))
            while len(found) < len(wanted):
                if time.monotonic() > end:
                    raise LogUnavailable(f"Kafka does not show the log{self._last_problem()}")
                message = consumer.poll(_POLL_SECONDS)
                if message is not None and not message.error():
                    found.setdefault(message.partition() or 0, message)
        finally:
            consumer.close()
        return list(found.values())

    def _find_ends(self, job_id: str) -> list[int]:
        end = time.monotonic() + _ANSWER_SECONDS
        while True:
            try:
                return self._ask_ends(_topic(job_id), self._count_partitions(job_id))
            except KafkaException as error:
                if _code(error) == KafkaError.UNKNOWN_TOPIC_OR_PART:
                    raise NotFound("log", job_id) from error
                if _code(error) not in _BETWEEN_LEADERS or time.monotonic() > end:
                    raise self._unavailable("the log cannot be read", error) from error
                time.sleep(_POLL_SECONDS)

    def _ask_ends(self, topic: str, partition_count: int) -> list[int]:
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        wanted = {TopicPartition(topic, number): latest for number in range(partition_count)}
        futures = self._admin().list_offsets(
            wanted, isolation_level=IsolationLevel.READ_UNCOMMITTED, request_timeout=_ANSWER_SECONDS
        )
        return [future.result(_ANSWER_SECONDS + 1).offset for future in futures.values()]

    def _count_partitions(self, job_id: str) -> int:
        """Raises KafkaException. This way of asking makes no topic where there is none."""
        topics = TopicCollection([_topic(job_id)])
        description = self._answer(self._admin().describe_topics(topics, request_timeout=_ANSWER_SECONDS))
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
            return bool(self.end_offsets(job_id))
        except NotFound:
            return False

    def _wait(self, true: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + _ANSWER_SECONDS
        while not true():
            if time.monotonic() > end:
                raise LogUnavailable(what + self._last_problem())
            time.sleep(_POLL_SECONDS)

    def _admin(self) -> AdminClient:
        if self._admin_client is None:
            self._admin_client = AdminClient(self._options())
        return self._admin_client

    def _answer(self, futures: Mapping[str, Future[_Result]]) -> _Result:
        """The answer about the one topic that was asked about; raises KafkaException."""
        (future,) = futures.values()
        return future.result(_ANSWER_SECONDS + 1)

    def _options(self) -> dict[str, Any]:
        # librdkafka would write its log to standard error.
        return {**self._connection.librdkafka(), "error_cb": self._note_problem, "log_level": 0}

    def _note_problem(self, error: KafkaError) -> None:
        # That all brokers are down is said beside why each of them is.
        if error.code() != KafkaError._ALL_BROKERS_DOWN:
            self._problem = error.str()

    def _unavailable(self, what: str, error: KafkaException) -> LogUnavailable:
        self._admin().poll(0)
        return LogUnavailable(f"{what}: {error.args[0].str()}{self._last_problem()}")

    def _last_problem(self) -> str:
        return f" ({self._problem})" if self._problem else ""


class _Delivery:
    """What became of the blocks of one append."""

    def __init__(self) -> None:
        self.error: KafkaError | None = None
        self.misplaced = False

    def note(self, offset: int) -> Callable[[KafkaError | None, Message], None]:
        """The callback for the block that belongs at an offset."""

        def delivered(error: KafkaError | None, message: Message) -> None:
            if error:
                self.error = self.error or error
            elif message.offset() != offset:
                self.misplaced = True

        return delivered


def _topic(job_id: str) -> str:
    return _TOPICS + job_id


def _code(error: KafkaException) -> int:
    return int(error.args[0].code())
