"""Every call as those who run the service see it: measured, named in the logs and, if they want, logged."""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import Any

import grpc
from google.rpc import code_pb2
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind

from digits import status_codes
from digits.signals import context as log_context
from digits.signals import traces
from digits.signals.logs import FIELDS
from digits.signals.metrics import calls as measured
from server.error_mapping import JobFailed
from server.receiving import all_read, require_read

access_logger = logging.getLogger("digits.access")

_NAMES: dict[int, str] = {number: name for name, number in code_pb2.Code.items()}
_HEADERS = frozenset({log_context.REQUEST_ID_HEADER, *traces.HEADERS})
_NO_SPAN = nullcontext(INVALID_SPAN)


class Observed:
    """A servicer whose calls are observed. It goes around all that may refuse, and inside the error mapping.

    A wrapper and no interceptor, for the same reason as ErrorMapping.
    """

    def __init__(self, servicer: object, access_log: bool = False) -> None:
        self._servicer, self._access_log = servicer, access_log

    def __getattr__(self, name: str) -> Callable[..., Any]:
        behaviour = getattr(self._servicer, name)
        observed = _streaming if inspect.isasyncgenfunction(behaviour) else _unary
        return observed(behaviour, name, self._access_log)


class _Call:
    """One call from its begin to its end. A class, since a generator's context manager takes longer."""

    def __init__(
        self, method: str, access_log: bool, request: Any, context: grpc.aio.ServicerContext
    ) -> None:
        self._method, self._access_log = method, access_log
        self._request, self._context = request, context
        self._span: AbstractContextManager[Span] = _NO_SPAN

    def __enter__(self) -> None:
        self._began = time.perf_counter()
        metadata = self._context.invocation_metadata() or ()
        headers: dict[str, str] = {key: str(value) for key, value in metadata if key in _HEADERS}
        # A Train names itself; a stream of requests has neither.
        named = getattr(self._request, "request_id", "")
        request_id = log_context.begin(
            headers.get(log_context.REQUEST_ID_HEADER, named), getattr(self._request, "job_id", "")
        )
        parent = traces.parent(headers)
        self._span = traces.span(self._method, kind=SpanKind.SERVER, parent=parent, request_id=request_id)
        self._span.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        seconds = time.perf_counter() - self._began
        self._span.__exit__(kind, error, trace)
        code = _NAMES[code_of(error)]
        measured.seconds(self._method, code).observe(seconds)
        if self._access_log:
            self._log(code, seconds)

    def _log(self, code: str, seconds: float) -> None:
        peer = self._context.peer()
        fields = {"method": self._method, "code": code, "seconds": round(seconds, 6), "peer": peer}
        text = "%s %s in %.1f ms, from %s"
        access_logger.info(text, self._method, code, seconds * 1000, peer, extra={FIELDS: fields})


def code_of(error: BaseException | None) -> int:
    """The canonical code that a call ends with."""
    if error is None:
        return int(code_pb2.OK)
    if isinstance(error, JobFailed):
        return int(error.status.code)
    if isinstance(error, asyncio.CancelledError | GeneratorExit):
        return int(code_pb2.CANCELLED)
    return status_codes.code_of(error)


def _unary(behaviour: Callable[..., Any], name: str, access_log: bool) -> Callable[..., Any]:
    async def call(request: Any, context: grpc.aio.ServicerContext) -> Any:
        with _Call(name, access_log, request, context):
            return await behaviour(require_read(request), context)

    return call


def _streaming(behaviour: Callable[..., Any], name: str, access_log: bool) -> Callable[..., Any]:
    async def call(request: Any, context: grpc.aio.ServicerContext) -> AsyncIterator[Any]:
        with _Call(name, access_log, request, context):
            readable = all_read(request) if hasattr(request, "__aiter__") else require_read(request)
            async for response in behaviour(readable, context):
                yield response

    return call
