"""The page at / and its files: plain HTML, CSS and JavaScript modules of rest_bridge/page, as they are."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response, request
from werkzeug.exceptions import NotFound

from rest_bridge.operations import Operation

blueprint = Blueprint("page", __name__)

FOLDER = Path(__file__).parent / "page"
# By name, since what a machine's own table says of .js differs.
MEDIA_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
# Nothing but this bridge's own files and calls; no markup that is made of text; nobody's frame around it.
_HEADERS = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    # A new release is seen at once: a browser asks whether its copy still is the newest (304 if so).
    "Cache-Control": "no-cache",
}


@blueprint.get("/")
@Operation(media="text/html")
def index() -> Response:
    """The page: draw a digit, watch a training, move versions."""
    return _sent("index.html")


@blueprint.get("/page/<name>")
@Operation(media="*/*")
def file(name: str) -> Response:
    """A file that the page is made of."""
    return _sent(name)


def _sent(name: str) -> Response:
    path = FOLDER / name
    # A folder of files alone: whatever names something else is no name of one.
    if path.parent != FOLDER or path.suffix not in MEDIA_TYPES or not path.is_file():
        raise NotFound
    reply = Response(path.read_bytes(), mimetype=MEDIA_TYPES[path.suffix], headers=_HEADERS)
    reply.add_etag()
    reply.make_conditional(request)
    return reply
