"""Whether a Kafka that answers sends its clients where nobody answers."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

_ANSWER_SECONDS = 5.0
# From one try to connect to the next, in milliseconds. The first answer sends the client to where nobody is;
# left to itself it waits for so long before it goes back to where it began that the question is given up.
_RETRY = {"reconnect.backoff.ms": 20, "reconnect.backoff.max.ms": 100}
_CONNECT_SECONDS = 2.0


def wrong_address(options: Mapping[str, Any]) -> str:
    """A sentence about the addresses that Kafka gives its clients, if none can be reached; else empty.

    A Kafka that is away gives none. Where one broker answers and no address does, `advertised.listeners` is
    wrong.
    """
    # A client that was sent on already does not ask where it began.
    admin = AdminClient({**options, **_RETRY})
    try:
        brokers = admin.list_topics(timeout=_ANSWER_SECONDS).brokers.values()
    except KafkaException:
        return ""
    addresses = [(str(broker.host), int(broker.port)) for broker in brokers]
    if not addresses or any(map(_answers, addresses)):
        return ""
    named = ", ".join(f"{host}:{port}" for host, port in addresses)
    return f"Kafka says that it is at {named}, where nobody answers: mend advertised.listeners of its brokers"


def _answers(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, _CONNECT_SECONDS).close()
    except OSError:
        return False
    return True
