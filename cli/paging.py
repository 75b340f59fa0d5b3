"""Lists that are longer than a screen: how much of one is shown, and how to see the rest."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated, Generic, Protocol, TypeVar

import typer

from digits.limits import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE

Limit = Annotated[int, typer.Option("--limit", min=0, metavar="N", help="How many, newest first; 0: all.")]
Before = Annotated[
    str,
    typer.Option("--before", metavar="TOKEN", help="Go on where an earlier list says that there is more."),
]
DEFAULT_LIMIT = DEFAULT_PAGE_SIZE


class Answer(Protocol):
    """A page as the service answers it."""

    next_page_token: str


A = TypeVar("A", bound=Answer)
Row = TypeVar("Row")


class Listing(Generic[A, Row]):
    """The newest rows of a list; `rest` is where it goes on, empty at its end."""

    def __init__(
        self,
        ask: Callable[[int, str], A],
        rows_of: Callable[[A], list[Row]],
        limit: int,
        before: str,
    ) -> None:
        """Asks for as many pages as it takes; `limit` 0 means all rows."""
        self.rows: list[Row] = []
        self.rest = before
        while True:
            wanted = limit - len(self.rows) if limit else MAX_PAGE_SIZE
            answer = ask(min(wanted, MAX_PAGE_SIZE), self.rest)
            self.rows += rows_of(answer)
            self.rest = answer.next_page_token
            if not self.rest or len(self.rows) == limit:
                break
        # A full page names the next one, which may be empty.
        if self.rest and not rows_of(ask(1, self.rest)):
            self.rest = ""

    def say_rest(self, command: str) -> None:
        """Says on stderr how to see more, if there is more."""
        if self.rest:
            print(f"there is more: {command} --before {self.rest}, or --limit 0 for all", file=sys.stderr)
