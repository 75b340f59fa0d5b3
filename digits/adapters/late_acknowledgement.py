"""Requests that are acknowledged when they are done, by when their broker may be away."""

from __future__ import annotations

from celery.worker.request import Request
from kombu.transport.virtual import QoS


class LateAcknowledgedRequest(Request):  # type: ignore[misc]
    """Lets its worker take the next message although the acknowledgement could not be sent.

    On Redis and Valkey kombu counts a message as being worked on until its acknowledgement was written.
    A worker whose prefetch is one then asks for no other message, so it never even finds out that the
    connection is gone. RabbitMQ's channel goes with its connection, and its count with it.
    """

    def acknowledge(self) -> None:
        """Tells the broker if it is there, and ends the message's count in any case."""
        try:
            super().acknowledge()
        finally:
            qos = getattr(self._message.channel, "qos", None)
            if not self._message.acknowledged and isinstance(qos, QoS):
                QoS.ack(qos, self._message.delivery_tag)  # type: ignore[no-untyped-call]
