"""A training on a terminal: a bar with its percentage and the time left, and the figures beneath it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn
from rich.text import Text

from cli.progress import figures, seconds_left, state_name

if TYPE_CHECKING:
    from digits.v1.training_pb2 import TrainProgress


@contextmanager
def live_bar(console: Console) -> Iterator[Callable[[TrainProgress], None]]:
    """A function that shows each message. Two lines, so that the bar has room at 60 columns too."""
    bar = LiveBar(console)
    with Live(get_renderable=bar.lines, console=console):
        yield bar.show


class LiveBar:
    """What is drawn, ten times a second or so."""

    def __init__(self, console: Console, now: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TaskProgressColumn(),
            TextColumn("{task.fields[left]}"),
            console=console,
            expand=True,
        )
        self._task = self._bar.add_task("", total=None, left="")
        self._figures: list[str] = []
        self._left = TimeLeft(now)

    def show(self, progress: TrainProgress) -> None:
        """Takes a message."""
        self._left.hear(progress)
        self._figures = figures(progress)
        self._bar.update(
            self._task,
            description=f"{state_name(progress):<10}",
            total=progress.images_total or None,
            completed=progress.images_trained,
        )

    def lines(self) -> RenderableType:
        """The bar, and as many of the figures as fit."""
        self._bar.update(self._task, left=self._left.text())
        fitting = list(self._figures)
        while len(line := "  ".join(fitting)) > self._console.width:
            fitting.pop()
        return Group(self._bar, Text(line))


class TimeLeft:
    """Counts down from the newest estimate, of which there is one a micro-batch."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._micro_batch, self._end = 0, 0.0

    def hear(self, progress: TrainProgress) -> None:
        """Takes the estimate of a new micro-batch; the heartbeats between them repeat it."""
        if progress.micro_batch != self._micro_batch:
            self._micro_batch = progress.micro_batch
            self._end = self._now() + seconds_left(progress)
        if not seconds_left(progress):
            self._end = 0.0

    def text(self) -> str:
        """Such as "eta 1:05"; empty if it is not known."""
        if not self._end:
            return ""
        seconds = max(round(self._end - self._now()), 0)
        return f"eta {seconds // 60}:{seconds % 60:02}"
