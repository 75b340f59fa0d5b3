"""A client of the service, whose refusals are one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cli.failure import CommandFailed
from cli.options import read_settings

if TYPE_CHECKING:
    from digits.client.client import Client
    from digits.client.errors import RemoteError

# gRPC's words for what the operating system, or an HTTP/1 server such as the bridge, says to it.
_NOT_THERE = ("Connection refused", "No such file or directory")
_SPEAKS_HTTP = ("http1.x server", "Failed parsing HTTP/2")


@contextmanager
def connected(server: str) -> Iterator[Client]:
    """A client of the named server, or of the environment's; raises CommandFailed for what it refuses."""
    from digits.client.connect import connect
    from digits.client.errors import RemoteError

    settings = read_settings(server)
    with connect(settings, settings.token.get_secret_value()) as client:
        try:
            yield client
        except RemoteError as error:
            raise CommandFailed(reason(error, client.address), error.code.name, error.field) from error


def reason(error: RemoteError, address: str) -> str:
    """One line that says what was refused; for a server that is away, what to do."""
    from grpc import StatusCode

    if error.unanswered:
        return _no_answer(error.message, address)
    if error.code is StatusCode.UNAUTHENTICATED:
        return f"{error.message}; DIGITS_TOKEN holds yours"
    message = " ".join(error.message.split()) or error.code.name
    named = error.field and not message.startswith(error.field)
    return f"{error.field}: {message}" if named else message


def _no_answer(cause: str, address: str) -> str:
    """`cause` is gRPC's sentence."""
    if any(words in cause for words in _NOT_THERE):
        return f"no server at {address}: start one with `digits up`, or name another with --server"
    if any(words in cause for words in _SPEAKS_HTTP):
        from digits.limits import DEFAULT_GRPC_PORT

        return (
            f"{address} speaks HTTP/1, as the REST bridge does: name the gRPC port with --server, "
            f"which is {DEFAULT_GRPC_PORT} unless DIGITS_GRPC_PORT says otherwise"
        )
    words = " ".join(cause.rpartition("last error: ")[2].split())
    return f"no server answers at {address}: {words}"
