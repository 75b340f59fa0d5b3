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

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler:
        """Wraps the handlers of the project's own style; others (health, reflection) pass."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return handler
        if handler.response_streaming:
            wrapped = _streaming(handler.stream_stream or handler.unary_stream)
            kind = "stream_stream" if handler.request_streaming else "unary_stream"
        elif handler.request_streaming:
            return handler
        else:
            wrapped, kind = _unary(handler.unary_unary), "unary_unary"
        make = getattr(grpc, f"{kind}_rpc_method_handler")
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
