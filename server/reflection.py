"""Server reflection by both names: the package speaks v1alpha alone, and v1 is the same on the wire."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
from grpc_reflection.v1alpha import _async, reflection, reflection_pb2

from server.generic_handlers import GenericHandlersOnly

V1 = "grpc.reflection.v1.ServerReflection"


def enable(server: GenericHandlersOnly, services: list[str], guarded: Callable[[object], Any]) -> None:
    """Lets clients such as grpcurl ask what the server offers, if `guarded` lets them in."""
    names = (*services, V1, reflection.SERVICE_NAME)
    servicer = guarded(_async.ReflectionServicer(names))
    handler = grpc.stream_stream_rpc_method_handler(
        servicer.ServerReflectionInfo,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    handlers = {"ServerReflectionInfo": handler}
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler(name, handlers) for name in (V1, reflection.SERVICE_NAME)]
    )
