"""Requests of a queue on which nobody keeps track of deliveries."""

from __future__ import annotations

from celery.worker.request import Request


class UnacknowledgedRequest(Request):  # type: ignore[misc]
    """Acknowledges nothing: its queue is consumed without acknowledgements.

    Celery acknowledges all the same, and on Redis kombu then removes what it never noted: 28 % of a worker's
    time for a batch of one.
    """

    def acknowledge(self) -> None:
        """Tells the broker nothing."""
        self.acknowledged = True
