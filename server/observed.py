"""Every call as those who run the service see it: measured and, if it was refused, counted."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Any

import grpc
from google.rpc import code_pb2

from digits import status_codes
from digits.signals.metrics import calls as measured
from server.error_mapping import JobFailed

_REFUSALS = (code_pb2.UNAUTHENTICATED, code_pb2.PERMISSION_DENIED)


class Observed:
    """A servicer whose calls are measured. It goes around all that may refuse, and inside the error mapping.

    A wrapper and no interceptor, for the same reason as ErrorMapping.
    """

    def __init__(self, servicer: object) -> None:
        self._servicer = servicer

    def __getattr__(self, name: str) -> Callable[..., Any]:
        behaviour = getattr(self._servicer, name)
        observed = _streaming if inspect.isasyncgenfunction(behaviour) else _unary
        return observed(name, behaviour)


class _Call:
    """One call from its begin to its end. A class, since a generator's context manager takes longer."""

    def __init__(self, method: str, request: Any, context: grpc.aio.ServicerContext) -> None:
        self._method = method

    def __enter__(self) -> None:
        self._began = time.perf_counter()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        seconds = time.perf_counter() - self._began
        code = code_of(error)
        name = code_pb2.Code.Name(code)
        measured.GRPC_SECONDS.labels(self._method, name).observe(seconds)
        if code in _REFUSALS:
            measured.REFUSED.labels(name).inc()


def code_of(error: BaseException | None) -> int:
    """The canonical code that a call ends with."""
    if error is None:
        return int(code_pb2.OK)
    if isinstance(error, JobFailed):
        return int(error.status.code)
    if isinstance(error, asyncio.CancelledError | GeneratorExit):
        return int(code_pb2.CANCELLED)
    return status_codes.code_of(error)


def _unary(name: str, behaviour: Callable[..., Any]) -> Callable[..., Any]:
    async def call(request: Any, context: grpc.aio.ServicerContext) -> Any:
        with _Call(name, request, context):
            return await behaviour(request, context)

    return call


def _streaming(name: str, behaviour: Callable[..., Any]) -> Callable[..., Any]:
    async def call(request: Any, context: grpc.aio.ServicerContext) -> AsyncIterator[Any]:
        with _Call(name, request, context):
            async for response in behaviour(request, context):
                yield response

    return call
