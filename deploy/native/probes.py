"""Asks a part whether it can be used. Every probe returns within about a second and never raises."""

from __future__ import annotations

import logging
import socket
import ssl
import urllib.request
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlsplit

import grpc
import psutil
from grpc_health.v1 import health_pb2, health_pb2_grpc
from kazoo.client import KazooClient
from kazoo.exceptions import KazooException
from kazoo.handlers.threading import KazooTimeoutError

from digits.settings import Settings
from digits.v1 import models_pb2, training_pb2

PROBE_SECONDS = 1.0

Probe = Callable[[int], bool]


class ZooKeeperProbe:
    """Reads ZooKeeper over one connection, made when the server first listens."""

    def __init__(self, url: str) -> None:
        """`url` is zookeeper://HOST:PORT[,HOST:PORT]/CHROOT."""
        parts = urlsplit(url)
        self._hosts, self._chroot = parts.netloc, parts.path.rstrip("/")
        self._client: Any = None

    def answers(self, _pid: int) -> bool:
        """Whether ZooKeeper answers a read."""
        return self._ask("get", "/") is not None

    def worker_registered(self, role: str, pid: int) -> bool:
        """Whether the process, or one that it started, is registered as a worker of that role."""
        return bool({worker.process_id for worker in self._workers(role)} & family(pid))

    def serving_version(self) -> str:
        """The version that serves; empty where none does, or ZooKeeper is away."""
        stored = self._ask("get", f"{self._chroot}/serving")
        return models_pb2.Serving.FromString(stored[0]).version if stored else ""

    def serving_problem(self) -> str:
        """What keeps a classify worker from the version that serves; empty if nothing does."""
        return next((worker.error for worker in self._workers("classify") if worker.error), "")

    def close(self) -> None:
        """Ends the connection."""
        if self._client:
            self._client.stop()
            self._client.close()
            self._client = None

    def _workers(self, role: str) -> list[training_pb2.WorkerStatus]:
        folder = f"{self._chroot}/workers/{role}"
        found = (self._ask("get", f"{folder}/{name}") for name in self._ask("get_children", folder) or [])
        return [training_pb2.WorkerStatus.FromString(stored[0]) for stored in found if stored]

    def _ask(self, operation: str, path: str) -> Any:
        """The operation's result; None where there is no such node, or no answer in time."""
        try:
            client = self._connected()
            return getattr(client, f"{operation}_async")(path).get(timeout=PROBE_SECONDS) if client else None
        except (KazooException, KazooTimeoutError, OSError):
            return None

    def _connected(self) -> Any:
        if self._client is None and any(map(listens, self._hosts.split(","))):
            # Its warnings about a server that is still starting would be taken for ours.
            logging.getLogger("kazoo").setLevel(logging.CRITICAL)
            # A first attempt that meets a server still starting is given up after this time, and made anew.
            client = KazooClient(hosts=self._hosts, timeout=2.0)
            client.start_async().wait(timeout=PROBE_SECONDS)
            self._client = client
        return self._client


def family(pid: int) -> set[int]:
    """The process's id and those of all its descendants."""
    try:
        return {pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))}
    except psutil.NoSuchProcess:
        return {pid}


def valkey_answers(port: int) -> Probe:
    """Whether the server on that loopback port answers PING."""
    address = ("127.0.0.1", port)

    def answers(_pid: int) -> bool:
        try:
            with socket.create_connection(address, PROBE_SECONDS) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    return answers


def health_address(settings: Settings) -> str:
    """Where the server on this machine answers health checks in plain text."""
    return f"{reachable(settings.grpc_host)}:{settings.health_port or settings.grpc_port}"


def server_answers(address: str) -> Probe:
    """Whether the gRPC server answers a health check, whatever it says: no model may serve yet."""

    def answers(_pid: int) -> bool:
        if not listens(address):
            return False
        try:
            with grpc.insecure_channel(address) as channel:
                stub = health_pb2_grpc.HealthStub(channel)
                stub.Check(health_pb2.HealthCheckRequest(), timeout=PROBE_SECONDS)
        except grpc.RpcError as error:
            return cast(grpc.Call, error).code() is grpc.StatusCode.NOT_FOUND
        return True

    return answers


def bridge_answers(settings: Settings) -> Probe:
    """Whether the /healthz of the bridge on this machine is 200."""
    address = f"{reachable(settings.rest_host)}:{settings.rest_port}"
    url = f"{'https' if settings.tls_certificate_file else 'http'}://{address}/healthz"
    context = _own_tls(settings)

    def answers(_pid: int) -> bool:
        if not listens(address):
            return False
        try:
            with urllib.request.urlopen(url, timeout=PROBE_SECONDS, context=context) as response:  # noqa: S310
                return bool(response.status == 200)
        except (OSError, ValueError):
            return False

    return answers


def service_probes(settings: Settings, zookeeper: ZooKeeperProbe) -> dict[str, Probe]:
    """The probe of each process of the service itself, by its name."""
    return {
        "server": server_answers(health_address(settings)),
        "classify-worker": lambda pid: zookeeper.worker_registered("classify", pid),
        "train-worker": lambda pid: zookeeper.worker_registered("train", pid),
        "bridge": bridge_answers(settings),
    }


def _own_tls(settings: Settings) -> ssl.SSLContext | None:
    """For asking ourselves, which needs no proof of who answers; the other side may want our certificate."""
    if not settings.tls_certificate_file:
        return None
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if settings.client_certificate_file:
        context.load_cert_chain(settings.client_certificate_file, settings.client_key_file)
    return context


def reachable(host: str) -> str:
    """The address by which this machine reaches a server that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104


def listens(address: str) -> bool:
    """Whether something takes connections there."""
    try:
        socket.create_connection(_host_and_port(address), PROBE_SECONDS).close()
    except OSError:
        return False
    return True


def _host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)
