"""The channel to one address with the stubs that call over it: retries, limits, keep-alive, proxies."""

from __future__ import annotations

import json
import re
import threading

import grpc
from grpc_health.v1 import health_pb2_grpc

from digits.security.listener_policy import is_loopback
from digits.v1 import (
    digit_service_pb2_grpc,
    feedback_pb2_grpc,
    models_pb2_grpc,
    status_pb2_grpc,
    training_pb2_grpc,
)

# A classification changes nothing, so a server that restarts is simply asked again.
_RETRIES = {
    # A name may stand for several servers, as a headless Service's does.
    "loadBalancingConfig": [{"round_robin": {}}],
    "methodConfig": [
        {
            "name": [{"service": "digits.v1.DigitService", "method": "Classify"}],
            "retryPolicy": {
                # Two to three seconds together: a server that is back is found again within one.
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

_OPTIONS: list[tuple[str, str | int]] = [
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

# gRPC asks the proxy of http_proxy for every address that no_proxy does not name.
_NO_PROXY = ("grpc.enable_http_proxy", 0)


class Stubs:
    """The generated stubs of the services on one channel."""

    def __init__(self, channel: grpc.Channel) -> None:
        self.channel = channel
        self.digits = digit_service_pb2_grpc.DigitServiceStub(channel)
        self.jobs = training_pb2_grpc.JobServiceStub(channel)
        self.models = models_pb2_grpc.ModelServiceStub(channel)
        self.status = status_pb2_grpc.StatusServiceStub(channel)
        self.feedback = feedback_pb2_grpc.FeedbackServiceStub(channel)
        self.health = health_pb2_grpc.HealthStub(channel)


class Connection:
    """The channel to one address, made by the first call: one made before a fork does not work after it."""

    def __init__(self, address: str, credentials: grpc.ChannelCredentials | None) -> None:
        self._address, self._credentials = address, credentials
        self._lock = threading.Lock()
        self._open: Stubs | None = None

    def stubs(self) -> Stubs:
        """The stubs of the open channel, or of a new one when there is none."""
        with self._lock:
            if self._open is None:
                self._open = Stubs(self._channel())
            return self._open

    def close(self) -> None:
        """Closes the open channel; `stubs` makes another."""
        with self._lock:
            stubs, self._open = self._open, None
        if stubs is not None:
            stubs.channel.close()

    def _channel(self) -> grpc.Channel:
        options = options_of(self._address)
        if self._credentials is None:
            return grpc.insecure_channel(self._address, options=options)
        return grpc.secure_channel(self._address, self._credentials, options=options)


def options_of(address: str) -> list[tuple[str, str | int]]:
    """What a channel to an address is made with."""
    return [*_OPTIONS] if _may_use_proxy(address) else [*_OPTIONS, _NO_PROXY]


def _may_use_proxy(address: str) -> bool:
    """False if each HOST:PORT is on this machine, which no proxy reaches; address as gRPC names targets."""
    targets = re.sub(r"^(dns:(//[^/]*/)?|ipv[46]:)", "", address).split(",")
    return not all(is_loopback(target.rpartition(":")[0]) for target in targets)
