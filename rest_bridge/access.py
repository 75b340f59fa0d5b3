"""Whom the bridge lets in: the server decides on every call; here strangers are kept from sending bodies."""

from __future__ import annotations

from flask import Flask, request

from digits.errors import Unauthenticated
from digits.security.tokens import Tokens

PROBES = frozenset({"probes.healthz", "probes.readyz"})
# What anybody may ask: probes, and the files of the page, which asks for a token itself.
OPEN = PROBES | {"page.index", "page.file"}


def install(app: Flask, tokens: Tokens | None) -> None:
    """If there are tokens, refuses every other call without one before its body is read."""

    def check() -> None:
        if tokens and request.endpoint not in OPEN:
            tokens.holder(authorization())

    app.before_request(check)


def authorization() -> str:
    """The caller's own header, which goes on to the server; raises Unauthenticated if it cannot."""
    found = request.headers.get("Authorization", "")
    if not (found.isascii() and found.isprintable()):
        raise Unauthenticated("a token is of printable ASCII characters: authorization: Bearer TOKEN")
    return found
