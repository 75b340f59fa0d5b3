"""What a view says of itself beside its route and its docstring, for the description (OpenAPI)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel

from rest_bridge.bodies import Forms, Query

View = TypeVar("View", bound=Callable[..., Any])

JSON = "application/json"


@dataclass(frozen=True)
class Header:
    """A header that a view reads."""

    name: str
    description: str


@dataclass(frozen=True)
class Operation:
    """How a view is called and answers.

    `media` and `answer` are those of a 200; `responses` has the descriptions of further answers, by status.
    """

    media: str = JSON
    answer: type[BaseModel] | None = None
    body: Forms | None = None
    json_body: type[BaseModel] | None = None
    optional_body: type[BaseModel] | None = None
    query: type[Query] = Query
    headers: tuple[Header, ...] = ()
    responses: tuple[tuple[str, str], ...] = ()

    def __call__(self, view: View) -> View:
        """Decorates the view."""
        setattr(view, _ATTRIBUTE, self)
        return view


def operation_of(view: Callable[..., Any]) -> Operation:
    """What the view was decorated with; what every other view has in common otherwise."""
    found: Operation = getattr(view, _ATTRIBUTE, Operation())
    return found


_ATTRIBUTE = "operation"
