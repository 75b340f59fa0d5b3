"""A job on the screen, from where it is now to its end."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import typer

from cli.failure import CommandFailed, complain
from cli.progress import print_notes, state_name, verdict
from cli.progress_view import progress_view

if TYPE_CHECKING:
    from digits.client.client import Client
    from digits.v1.training_pb2 import TrainProgress

INTERRUPTED = 130


def watch(client: Client, messages: Iterator[TrainProgress], as_json: bool) -> None:
    """Shows a job until it ends; raises CommandFailed if it does not succeed.

    Ctrl-C leaves the job running and says how to find it again.
    """
    from rich.console import Console

    from digits.client.errors import RemoteError
    from digits.client.resume import AWAY, follow
    from digits.final_states import FINAL

    last, noted = None, 0
    try:
        with progress_view(Console(), as_json) as show:
            for last in follow(client, messages, on_line=_said_of(client.address)):
                show(last)
                if not as_json:
                    print_notes(last.notes[noted:])
                    noted = len(last.notes)
    except RemoteError as error:
        # After a FAILED message, which has said it.
        if last is None or last.state not in FINAL:
            if last is not None and error.code in AWAY:
                _say(_goes_on(last))
            raise
    except KeyboardInterrupt:
        if last is not None:
            complain(_goes_on(last))
        raise typer.Exit(INTERRUPTED) from None
    if last is None:
        raise CommandFailed("the service ended the call without an answer")
    if state_name(last) != "SUCCEEDED":
        raise CommandFailed(verdict(last))
    if not as_json:
        print(verdict(last))


def _goes_on(last: TrainProgress) -> str:
    return f"the job goes on; watch it with: digits jobs watch {last.job_id}"


def _said_of(address: str) -> Callable[[bool], None]:
    """Says whether the line to the server is lost or there again."""
    from digits.client.resume import PATIENCE_SECONDS

    def say(up: bool) -> None:
        trying = f"trying again for {PATIENCE_SECONDS:.0f} s, and the job goes on"
        _say(f"{address} answers again" if up else f"the line to {address} is lost: {trying}")

    return say


def _say(sentence: str) -> None:
    """On stderr, also with --json: it is no event of the job."""
    print(f"digits: {sentence}", file=sys.stderr, flush=True)
