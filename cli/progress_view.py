"""Shows a training as it goes: a live bar on a terminal, plain lines elsewhere, or JSON lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cli.output import as_dict, print_json
from cli.progress import summary

if TYPE_CHECKING:
    from rich.console import Console

    from digits.v1.training_pb2 import TrainProgress

Show = Callable[["TrainProgress"], None]


@contextmanager
def progress_view(console: Console, as_json: bool) -> Iterator[Show]:
    """A function that shows each message, in the way that fits where the output goes."""
    if as_json:
        yield _json_line
    elif console.is_terminal:
        # Imported when there is a terminal to draw on.
        from cli.live_bar import live_bar

        with live_bar(console) as show:
            yield show
    else:
        yield _PlainLines()


def _json_line(progress: TrainProgress) -> None:
    print_json(as_dict(progress))


class _PlainLines:
    """Prints a line when something changed; heartbeats alone are not worth one."""

    def __init__(self) -> None:
        self._last = ""

    def __call__(self, progress: TrainProgress) -> None:
        if not self._last:
            print(f"job {progress.job_id}", flush=True)
        line = summary(progress)
        if line != self._last:
            print(line, flush=True)
        self._last = line
