"""Reads the keys of a topic's messages: the offsets that a log's blocks are meant for."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from digits.errors import Corrupt, LogUnavailable

_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Seen:
    """Of a partition's first `count` messages, `end` is the first offset that none was meant for."""

    count: int = 0
    end: int = 0

    @property
    def has_twice(self) -> bool:
        """Whether a block came twice, or before its own offset."""
        return self.end != self.count

    def after(self, keys: Sequence[int]) -> Seen:
        """With the keys of the messages that follow."""
        end = self.end
        for key in keys:
            end += key == end
        return Seen(self.count + len(keys), end)


def find_ends(
    options: Mapping[str, Any], topic: str, counts: Sequence[int], seen: Sequence[Seen], seconds: float
) -> list[Seen]:
    """What is seen of each partition, which holds that many messages, if so much was `seen` of it before.

    Reads the last messages alone, unless one shows that some block came twice; then what was not seen. A
    block that came before its own offset, from a trainer that did not know that the log was made again, does
    not count: it comes again. Raises LogUnavailable if Kafka shows none for so many seconds, and Corrupt for
    messages without such a key.
    """
    numbers = range(len(counts))
    lasts = {number: counts[number] - 1 for number in numbers if not seen[number].has_twice}
    last = _keys(options, topic, lasts, counts, seconds)
    unclear = {number: seen[number].count for number in numbers if last.get(number) != [counts[number] - 1]}
    found = _keys(options, topic, unclear, counts, seconds)
    return [
        seen[number].after(found.get(number, []))
        if number in unclear
        else Seen(counts[number], counts[number])
        for number in numbers
    ]


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
            # Of a long partition it may take minutes to read what came twice.
            end = time.monotonic() + seconds
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
