"""Reads the keys of a topic's messages: the offsets that a log's blocks are meant for."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from digits.errors import Corrupt, LogUnavailable

_POLL_SECONDS = 0.05


def find_ends(options: Mapping[str, Any], topic: str, counts: Sequence[int], seconds: float) -> list[int]:
    """For each partition, which holds that many messages, the offset that nobody appended to yet.

    Reads the last messages alone, unless one shows that some block came twice. A block that came before its
    own offset, from a trainer that did not know that the log was made again, does not count: it comes again.
    Raises LogUnavailable if Kafka does not show them in time, and Corrupt for messages without such a key.
    """
    last = _keys(options, topic, {number: count - 1 for number, count in enumerate(counts)}, counts, seconds)
    twice = {number: 0 for number, keys in last.items() if keys != [counts[number] - 1]}
    found = last | _keys(options, topic, twice, counts, seconds)
    return [
        _end(found.get(number, [])) if number in twice else counts[number] for number in range(len(counts))
    ]


def _end(keys: Sequence[int]) -> int:
    """The first offset that is missing, if the keys are read in order."""
    end = 0
    for key in keys:
        end += key == end
    return end


def _keys(
    options: Mapping[str, Any], topic: str, firsts: Mapping[int, int], counts: Sequence[int], seconds: float
) -> dict[int, list[int]]:
    """The keys of some partitions, each from an offset on; empty partitions are left out."""
    found: dict[int, list[int]] = {number: [] for number, first in firsts.items() if first >= 0}
    missing = sum(counts[number] - firsts[number] for number in found)
    if not missing:
        return {}
    consumer = Consumer({**options, "group.id": "digits", "enable.auto.commit": False})
    end = time.monotonic() + seconds
    try:
        consumer.assign([TopicPartition(topic, number, firsts[number]) for number in found])
        while missing:
            if time.monotonic() > end:
                raise LogUnavailable("Kafka does not show the log")
            message = consumer.poll(_POLL_SECONDS)
            if message is None or message.error():
                continue
            partition, offset = message.partition() or 0, message.offset() or 0
            if offset < counts[partition]:
                found[partition].append(_offset(message.key()))
                missing -= 1
    finally:
        consumer.close()
    return found


def _offset(key: bytes | str | None) -> int:
    if not key or not key.isdigit():
        raise Corrupt(f"the log holds a message whose key is no offset: {key!r}")
    return int(key)
