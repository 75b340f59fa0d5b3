"""What other people's web pages make a browser send: DNS rebinding and cross-site requests.

A page may send anything to any address that its reader's machine reaches, loopback included; what keeps it
out is what browsers alone write, and pages cannot (Fetch standard; OWASP's fetch-metadata policy).
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Response, request

from digits.security import listener_policy
from digits.settings import Settings
from rest_bridge.access import PROBES
from rest_bridge.problems import BadRequest
from rest_bridge.refusals import shown

_CHANGES_NOTHING = frozenset({"GET", "HEAD", "OPTIONS"})
# What a browser says of a request that its reader or a page of this service made; other programs say nothing.
_OURS = frozenset({"", "none", "same-origin"})

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    # Nobody's page shows one of ours in a frame, to have its reader click on it.
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def install(app: Flask, settings: Settings) -> None:
    """Refuses foreign pages before anything else of a request is looked at."""
    names = frozenset(name.strip().lower() for name in settings.rest_names.split(",") if name.strip())
    answers_to = names | {settings.rest_host.lower()}

    def check() -> None:
        if not settings.tokens_file and request.endpoint not in PROBES:
            _check_host(answers_to)
        _check_site()

    app.before_request(check)
    app.after_request(_closed)


def _check_host(answers_to: frozenset[str]) -> None:
    """A name that its owner made point to us is not one of ours: without tokens its pages would be let in."""
    host = _name_in(f"//{request.host}")
    if not (listener_policy.is_loopback(host) or host in answers_to):
        raise BadRequest(
            f"without tokens only localhost is answered, and the Host is {shown(host)!r}: "
            "set DIGITS_REST_NAMES to the names of this service, or DIGITS_TOKENS_FILE",
            status=421,
        )


def _check_site() -> None:
    site, origin = request.headers.get("Sec-Fetch-Site", ""), request.headers.get("Origin", "")
    changes = request.method not in _CHANGES_NOTHING
    foreign = changes and origin and origin.partition("://")[2].lower() != request.host.lower()
    if foreign or (site not in _OURS and (changes or not _is_a_link())):
        raise BadRequest(f"a page of {shown(origin) or 'another site'} may not ask this service", status=403)


def _is_a_link() -> bool:
    """Whether somebody follows a link to us: what comes of it is shown to them alone."""
    headers = request.headers
    return headers.get("Sec-Fetch-Mode") == "navigate" and headers.get("Sec-Fetch-Dest") == "document"


def _name_in(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _closed(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    return response
