"""The gRPC server."""

from __future__ import annotations

from typing import cast

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from deploy.native.loopback import PROBE_SECONDS, listens
from deploy.native.service.addresses import health_address
from deploy.native.service.own_process import OwnProcess, drain_grace_seconds
from deploy.native.service.registry_reader import RegistryReader
from digits.settings import Settings

# An address on loopback is nothing to ask a proxy for.
DIRECT = (("grpc.enable_http_proxy", 0),)


class GrpcServer(OwnProcess):
    """See OwnProcess."""

    name = "server"
    module = ("server",)
    stop_rank = 1

    def grace_seconds(self, settings: Settings) -> float:
        """See OwnProcess."""
        return drain_grace_seconds(settings)

    def address(self, settings: Settings) -> str:
        """See OwnProcess."""
        return settings.server

    def answers(self, settings: Settings, registry: RegistryReader, pid: int) -> bool:
        """See server_answers."""
        return server_answers(health_address(settings))


def server_answers(address: str) -> bool:
    """Whether the server at HOST:PORT answers a health check, whatever it says: no model may serve yet."""
    if not listens(address):
        return False
    try:
        with grpc.insecure_channel(address, options=DIRECT) as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            stub.Check(health_pb2.HealthCheckRequest(), timeout=PROBE_SECONDS)
    except grpc.RpcError as error:
        return cast(grpc.Call, error).code() is grpc.StatusCode.NOT_FOUND
    return True
