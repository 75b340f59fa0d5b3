"""The one place where errors become gRPC statuses."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NoReturn

import grpc
from google.rpc import status_pb2
from grpc_status import rpc_status

from digits import status
from digits.errors import DigitsError

logger = logging.getLogger(__name__)


class JobFailed(Exception):
    """A watched job failed: its stream ends with the job's own status."""

    def __init__(self, job_status: status_pb2.Status) -> None:
        super().__init__(job_status.message)
        self.status = job_status


class ErrorInterceptor(grpc.aio.ServerInterceptor):
    """Turns what a servicer raises into a status with details; says INTERNAL for what nobody foresaw."""

    def __init__(self) -> None:
        self._wrapped: dict[str, grpc.RpcMethodHandler] = {}

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler:
        """Wraps the project's own handlers; gRPC's (health, reflection) pass as they are."""
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or method.startswith("/grpc."):
            return handler
        if method not in self._wrapped:
            self._wrapped[method] = _wrapped(handler)
        return self._wrapped[method]


def _wrapped(handler: grpc.RpcMethodHandler) -> grpc.RpcMethodHandler:
    """A handler of the same shape that aborts with a status where the other raises."""
    if handler.unary_unary:
        wrapped, make = _unary(handler.unary_unary), grpc.unary_unary_rpc_method_handler
    elif handler.unary_stream:
        wrapped, make = _streaming(handler.unary_stream), grpc.unary_stream_rpc_method_handler
    elif handler.stream_stream:
        wrapped, make = _streaming(handler.stream_stream), grpc.stream_stream_rpc_method_handler
    else:
        return handler
    return make(wrapped, handler.request_deserializer, handler.response_serializer)


def _unary(behaviour: Callable[[Any, grpc.aio.ServicerContext], Any]) -> Callable[..., Any]:
    async def call(request: Any, context: grpc.aio.ServicerContext) -> Any:
        try:
            return await behaviour(request, context)
        except Exception as error:
            await _abort(context, error)

    return call


def _streaming(behaviour: Callable[[Any, grpc.aio.ServicerContext], Any]) -> Callable[..., Any]:
    async def call(request: Any, context: grpc.aio.ServicerContext) -> AsyncIterator[Any]:
        try:
            async for response in behaviour(request, context):
                yield response
        except Exception as error:
            await _abort(context, error)

    return call


async def _abort(context: grpc.aio.ServicerContext, error: Exception) -> NoReturn:
    if isinstance(error, grpc.aio.AbortError):
        raise error
    if isinstance(error, JobFailed):
        message = error.status
    else:
        if not isinstance(error, DigitsError):
            logger.error("unforeseen", exc_info=error)
        message = status.status_of(error)
    await context.abort_with_status(rpc_status.to_status(message))
    raise error  # Never reached: abort raises.
