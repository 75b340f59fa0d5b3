"""The channel to one address, and how it calls: retries, limits, keep-alive."""

from __future__ import annotations

import json
import threading

import grpc

# A classification changes nothing, so a server that restarts is simply asked again.
_RETRIES = {
    # A name may stand for several servers, as a headless Service's does.
    "loadBalancingConfig": [{"round_robin": {}}],
    "methodConfig": [
        {
            "name": [{"service": "digits.v1.DigitService", "method": "Classify"}],
            "retryPolicy": {
                # About a second together: a server that is back is found again within half of one.
                "maxAttempts": 5,
                "initialBackoff": "0.1s",
                "maxBackoff": "1s",
                "backoffMultiplier": 3,
                # CANCELLED by the other side is a call that came while a server shut its door.
                "retryableStatusCodes": ["UNAVAILABLE", "CANCELLED"],
            },
        }
    ],
}

_OPTIONS = [
    ("grpc.service_config", json.dumps(_RETRIES)),
    # A page of jobs or models may pass gRPC's 4 MiB; what is sent is limited by the server alone.
    ("grpc.max_receive_message_length", 64 << 20),
    # A training can be watched for hours through routers that forget silent connections.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # A restarted server is found again at once; gRPC's default waits up to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 500),
]


class Channel:
    """The channel to one address, made by the first call: one made before a fork does not work after it."""

    def __init__(self, address: str, credentials: grpc.ChannelCredentials | None) -> None:
        self._address, self._credentials = address, credentials
        self._lock = threading.Lock()
        self._open: grpc.Channel | None = None

    def get(self) -> grpc.Channel:
        """The open channel, or a new one when there is none."""
        with self._lock:
            if self._open is None and self._credentials is None:
                self._open = grpc.insecure_channel(self._address, options=_OPTIONS)
            elif self._open is None:
                self._open = grpc.secure_channel(self._address, self._credentials, options=_OPTIONS)
            return self._open

    def close(self) -> None:
        """Closes what is open; `get` makes another."""
        with self._lock:
            channel, self._open = self._open, None
        if channel is not None:
            channel.close()
