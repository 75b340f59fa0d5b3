"""How a call finds its method, and that strangers find none."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import grpc

from digits.errors import DigitsError
from server.access import Access
from server.error_mapping import abort
from server.freed_memory import FreedMemory
from server.receiving import parser


class GenericHandlersOnly:
    """Where generated code adds its services to a server: as methods that are found by their names.

    Generated code also registers each method with gRPC's core, and grpc.aio then waits anew on all of them
    for every call: 1,215 calls of Classify a second with 22 methods registered, 1,330 with none.
    """

    def __init__(self, server: grpc.aio.Server, access: Access) -> None:
        self._server, self._access = server, access

    def add_generic_rpc_handlers(self, handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        """See grpc.aio.Server."""
        self._server.add_generic_rpc_handlers([HeadersFirst(handler, self._access) for handler in handlers])

    def add_registered_method_handlers(
        self, service_name: str, handlers: Mapping[str, grpc.RpcMethodHandler]
    ) -> None:
        """Leaves them to the generic handlers, which answer for the same methods."""


# Methods that receive their one request themselves: grpc.aio keeps one that it hands over, in its bytes and
# parsed, until the answers' stream ends, and a Train may carry 64 MB and stream for hours.
_RECEIVING = frozenset({"/digits.v1.DigitService/Train"})


class HeadersFirst(grpc.GenericRpcHandler):
    """Asks by a call's headers whether it may be made, before anything that it sends is read.

    No interceptor: grpc.aio's cost each call more than the check does.
    """

    def __init__(self, methods: grpc.GenericRpcHandler, access: Access) -> None:
        self._methods, self._access = methods, access
        self._found: dict[str, Any] = {}
        self._freed = FreedMemory()

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        """The method; for a call that may not be made, one that refuses it without reading."""
        method = handler_call_details.method
        found = self._found.get(method) or self._find(handler_call_details)
        if found is None:
            return None
        try:
            self._access.check(method, handler_call_details.invocation_metadata)
        except DigitsError as error:
            return _refusing(error)
        return found  # type: ignore[no-any-return]

    def _find(self, details: grpc.HandlerCallDetails) -> Any:
        found: Any = self._methods.service(details)
        if found is not None:
            found = _receiving(found) if details.method in _RECEIVING else found
            parse = parser(details.method, found.request_deserializer, self._freed)
            self._found[details.method] = found = found._replace(request_deserializer=parse)
        return found


def _receiving(method: Any) -> grpc.RpcMethodHandler:
    return grpc.stream_stream_rpc_method_handler(
        method.unary_stream, method.request_deserializer, method.response_serializer
    )


def _refusing(error: DigitsError) -> grpc.RpcMethodHandler:
    async def refuse(requests: AsyncIterator[Any], context: grpc.aio.ServicerContext) -> None:
        await abort(context, error)

    # A stream to a stream, whatever the method is: only there does grpc.aio not read a message first.
    return grpc.stream_stream_rpc_method_handler(refuse)
