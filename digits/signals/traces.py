"""Traces by OpenTelemetry: its API is always here; until its SDK is set up, a span is nothing.

A caller's traceparent (W3C) is passed on either way. docs/decisions/traces-follow-records.md
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, Link, Span, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from digits.errors import Misconfigured
from digits.settings import Settings

TRACEPARENT = "traceparent"
HEADERS = (TRACEPARENT, "tracestate")

_PROPAGATOR = TraceContextTextMapPropagator()
# Stands for the tracer of whichever SDK is set up later.
_TRACER = trace.get_tracer("digits")
_LAST_SPANS_MILLISECONDS = 1000
_NOTHING = nullcontext(INVALID_SPAN)


def configure(settings: Settings, part: str) -> None:
    """Has this process send its spans where the settings say, if anywhere; raises Misconfigured."""
    if not settings.trace_endpoint:
        return
    try:
        from digits.signals.trace_export import provider  # noqa: PLC0415
    except ImportError as error:
        raise Misconfigured(
            f"DIGITS_TRACE_ENDPOINT: OpenTelemetry's SDK is not installed ({error.name}): "
            "pip install 'digitservice[traces]'"
        ) from error
    trace.set_tracer_provider(provider(settings, part))


def shut_down() -> None:
    """Exports the last spans: for a process that ends without Python's own end."""
    flush = getattr(trace.get_tracer_provider(), "force_flush", None)
    if flush:
        flush(_LAST_SPANS_MILLISECONDS)


def parent(headers: Mapping[str, str]) -> Context | None:
    """The span that a caller's headers name; None if they name none."""
    return _PROPAGATOR.extract(headers) if headers.get(TRACEPARENT) else None


def headers() -> dict[str, str]:
    """What names the current span to whoever is called next; empty without one."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return carrier


def current() -> Span | None:
    """The current span; None without one."""
    span = trace.get_current_span()
    return span if span.get_span_context().is_valid else None


def span(
    name: str,
    *,
    kind: SpanKind = SpanKind.INTERNAL,
    parent: Context | None = None,
    **attributes: str | int | float,
) -> AbstractContextManager[Span]:
    """A span around what is done inside, below the current one or the given parent."""
    if parent is None and _is_off():
        return _NOTHING
    return _TRACER.start_as_current_span(name, context=parent, kind=kind, attributes=attributes)


def shared_span(name: str, callers: Sequence[Span | None], **attributes: int) -> AbstractContextManager[Span]:
    """A span of work for several callers: in the first one's trace, and linked with the others' spans."""
    traced = [caller for caller in callers if caller]
    if not traced:
        return _NOTHING
    links = [Link(caller.get_span_context()) for caller in traced[1:]]
    made = _TRACER.start_span(
        name, context=trace.set_span_in_context(traced[0]), links=links, attributes=attributes
    )
    for caller in traced[1:]:
        caller.add_link(made.get_span_context())
    return trace.use_span(made, end_on_exit=True)


def _is_off() -> bool:
    # What is public for this reads the environment each time, which no call should pay for.
    return trace._TRACER_PROVIDER is None
