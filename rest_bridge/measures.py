"""Every request as those who run the bridge see it, and where they read that: /metrics."""

from __future__ import annotations

import time

from flask import Blueprint, Flask, Response, current_app, g, request
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from digits.settings import Settings
from digits.signals import exposition
from digits.signals.certificates import CertificateExpiry
from digits.signals.metrics import calls as measured
from rest_bridge.operations import Operation

blueprint = Blueprint("measures", __name__)

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_EXPIRY = "certificate expiry"


def install(app: Flask, settings: Settings) -> None:
    """Measures every request, also those that end as a problem."""
    app.extensions[_EXPIRY] = CertificateExpiry(settings)
    app.before_request(_begin)
    app.after_request(_end)


@blueprint.get("/metrics")
@Operation(media="text/plain")
def metrics() -> Response:
    """What was measured here, for Prometheus."""
    text = exposition.page(current_app.extensions[_EXPIRY])
    return Response(text, content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _begin() -> None:
    g.began = time.perf_counter()


def _end(response: Response) -> Response:
    seconds = time.perf_counter() - g.began
    measured.HTTP_SECONDS.labels(_method(), _route(), response.status_code).observe(seconds)
    if response.status_code in (401, 403):
        measured.REFUSED.labels(str(response.status_code)).inc()
    return response


def _method() -> str:
    """A caller may invent methods; as labels they are one."""
    return request.method if request.method in _METHODS else "other"


def _route() -> str:
    """The path as it is declared, without what callers fill in."""
    return request.url_rule.rule if request.url_rule else "none"
