"""Every request as those who run the bridge see it: measured, named in the logs and, if they want, logged."""

from __future__ import annotations

import logging
import time

from flask import Blueprint, Flask, Response, current_app, g, request
from opentelemetry import trace
from opentelemetry.trace import SpanKind
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from digits.settings import Settings
from digits.signals import context as log_context
from digits.signals import exposition, traces
from digits.signals.certificates import CertificateExpiry
from digits.signals.logs import FIELDS
from digits.signals.metrics import requests as measured
from rest_bridge.operations import Operation

access_logger = logging.getLogger("digits.access")

blueprint = Blueprint("measures", __name__)

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_EXPIRY = "certificate expiry"


def install(app: Flask, settings: Settings) -> None:
    """Measures every request, also those that end as a problem."""
    app.extensions[_EXPIRY] = CertificateExpiry(settings)
    app.before_request(_begin)
    app.before_request(_begin_span)
    app.teardown_request(_end)
    if settings.access_log:
        app.after_request(_log)
    # What is registered last is called first.
    app.after_request(_measure)


@blueprint.get("/metrics")
@Operation(media="text/plain")
def metrics() -> Response:
    """What was measured here, for Prometheus."""
    text = exposition.page(current_app.extensions[_EXPIRY])
    return Response(text, content_type=CONTENT_TYPE_PLAIN_0_0_4)


def passed_on() -> dict[str, str]:
    """What the server is told of the request that it answers: its name in the logs, its span, who sent it."""
    return {
        log_context.REQUEST_ID_HEADER: log_context.REQUEST_ID.get(),
        "x-forwarded-for": request.remote_addr or "",
        **traces.headers(),
    }


def _begin() -> None:
    g.began = time.perf_counter()
    job_id = (request.view_args or {}).get("job_id", "")
    log_context.begin(request.headers.get(log_context.REQUEST_ID_HEADER, ""), job_id)


def _begin_span() -> None:
    parent = traces.parent({name: request.headers.get(name, "") for name in traces.HEADERS})
    g.span = traces.span(f"{_method()} {_route()}", kind=SpanKind.SERVER, parent=parent)
    g.span.__enter__().set_attribute("request_id", log_context.REQUEST_ID.get())


def _end(error: BaseException | None) -> None:
    """An event stream goes on after it."""
    if "span" in g:
        g.span.__exit__(None, None, None)
    log_context.end()


def _measure(response: Response) -> Response:
    g.seconds = time.perf_counter() - g.began
    measured.SECONDS.labels(_method(), _route(), response.status_code).observe(g.seconds)
    trace.get_current_span().set_attribute("http.response.status_code", response.status_code)
    response.headers[log_context.REQUEST_ID_HEADER] = log_context.REQUEST_ID.get()
    return response


def _log(response: Response) -> Response:
    fields = {
        "method": _method(),
        "route": _route(),
        "code": response.status_code,
        "seconds": round(g.seconds, 6),
        "peer": request.remote_addr,
    }
    text = "%s %s %d in %.1f ms, from %s"
    values = (fields["method"], request.path, response.status_code, g.seconds * 1000, request.remote_addr)
    access_logger.info(text, *values, extra={FIELDS: fields})
    return response


def _method() -> str:
    """A caller may invent methods; as labels they are one."""
    return request.method if request.method in _METHODS else "other"


def _route() -> str:
    """The path as it is declared, without what callers fill in."""
    return request.url_rule.rule if request.url_rule else "none"
