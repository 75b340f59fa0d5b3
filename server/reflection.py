"""Server reflection by both names: the package speaks v1alpha alone, and v1 is the same on the wire."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, text_format
from grpc_reflection.v1alpha import _async, reflection, reflection_pb2

from server.generic_handlers import GenericHandlersOnly

V1 = "grpc.reflection.v1.ServerReflection"
_POOL = descriptor_pool.Default()


def enable(server: GenericHandlersOnly, services: list[str], guarded: Callable[[object], Any]) -> None:
    """Lets clients such as grpcurl ask what the server offers, if `guarded` lets them in."""
    _describe_v1()
    names = (*services, V1, reflection.SERVICE_NAME)
    servicer = guarded(_Reflection(names))
    handler = grpc.stream_stream_rpc_method_handler(
        servicer.ServerReflectionInfo,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    handlers = {"ServerReflectionInfo": handler}
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler(name, handlers) for name in (V1, reflection.SERVICE_NAME)]
    )


class _Reflection(_async.ReflectionServicer):  # type: ignore[misc]
    """Finds methods, and values by their enum's name, as other servers do; the package finds neither."""

    def _file_containing_symbol(self, request: Any, fully_qualified_name: str) -> Any:
        symbol = fully_qualified_name.removeprefix(".")
        owner, _, name = symbol.rpartition(".")
        if _has_method(owner, name) or _has_value(owner, name):
            symbol = owner
        return super()._file_containing_symbol(request, symbol)


def _has_method(service: str, name: str) -> bool:
    try:
        return name in _POOL.FindServiceByName(service).methods_by_name
    except KeyError:
        return False


def _has_value(enum: str, name: str) -> bool:
    try:
        return name in _POOL.FindEnumTypeByName(enum).values_by_name
    except KeyError:
        return False


def _describe_v1() -> None:
    """Adds what the package lacks: the description of the same service by its newer name."""
    described = descriptor_pb2.FileDescriptorProto()
    reflection_pb2.DESCRIPTOR.CopyToProto(described)
    renamed = text_format.MessageToString(described).replace("v1alpha", "v1")
    newer = text_format.Parse(renamed, descriptor_pb2.FileDescriptorProto())
    _POOL.AddSerializedFile(newer.SerializeToString())
