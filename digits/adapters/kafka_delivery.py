"""What became of the blocks that a producer was given."""

from __future__ import annotations

from confluent_kafka import KafkaError, Message

from digits.errors import LogLost, LogUnavailable

# By a broker's word, or by its silence about the topic.
_GONE = (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION)


class Delivery:
    """Hears of each block of one append; its key is the offset that it is meant for."""

    def __init__(self, job_id: str) -> None:
        self._job_id = job_id
        self._failed: list[KafkaError] = []
        self._early: list[str] = []

    def heard(self, error: KafkaError | None, message: Message) -> None:
        """The producer's callback."""
        key = (message.key() or b"0").decode()
        if error:
            self._failed.append(error)
        elif (message.offset() or 0) < int(key):
            self._early.append(key)

    def require_all(self, left: int) -> None:
        """Raises LogUnavailable if a block was not taken or some are left, LogLost if it is another log."""
        if any(error.code() in _GONE for error in self._failed):
            raise LogLost(self._job_id)
        if self._early:
            raise LogLost(self._job_id, f"ends before offset {self._early[0]}")
        if self._failed or left:
            reason = self._failed[0].str() if self._failed else "no answer in time"
            raise LogUnavailable(f"Kafka did not take a block: {reason}")
