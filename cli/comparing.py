"""`digits models compare`: how two versions read the service's reference set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.connection import connected
from cli.options import AsJson, Server
from cli.output import as_dict, print_fields, print_json
from cli.table import print_table

if TYPE_CHECKING:
    from digits.v1.models_pb2 import CompareModelsResponse, Difference, Reading

COLUMNS = ("LABEL", *map(str, range(10)))
DIFFERENCES = ("LABEL", "FIRST", "", "SECOND", "")
# Enough to see what kind they are; --json has all that the service answers.
_SHOWN = 10


def compare_models(
    first: Annotated[str, typer.Argument(metavar="FIRST", help="A version.")],
    second: Annotated[str, typer.Argument(metavar="SECOND", help="Another.")],
    show: Annotated[
        bool, typer.Option("--show", help="Draw the pictures that the two read differently.")
    ] = False,
    server: Server = "",
    as_json: AsJson = False,
) -> None:
    """Compare two versions on the reference set: accuracy, confusions, and what they read differently."""
    with connected(server) as client:
        answer = client.compare_models(first, second)
    if as_json:
        print_json(as_dict(answer))
    else:
        _print(answer, show=show)


def _print(answer: CompareModelsResponse, *, show: bool) -> None:
    first, second = answer.first, answer.second
    print_fields(
        {
            "images": answer.image_count,
            first.version: _line(first, answer.first_only_count, second.version),
            second.version: _line(second, answer.second_only_count, first.version),
            "read differently": answer.difference_count,
        }
    )
    for reading in (first, second):
        print(f"\n{reading.version} read each label as")
        print_table(COLUMNS, _confusions(reading))
    _print_differences(answer, show=show)


def _line(reading: Reading, only_count: int, other: str) -> str:
    return f"{reading.accuracy:.2%}, {only_count} right that {other} misreads"


def _confusions(reading: Reading) -> list[list[object]]:
    """A row a label; what never happened is a dot."""
    counts = reading.confusion_counts
    return [[label, *(counts[10 * label + digit] or "." for digit in range(10))] for label in range(10)]


def _print_differences(answer: CompareModelsResponse, *, show: bool) -> None:
    shown = answer.differences[:_SHOWN]
    if not shown:
        return
    print(f"\n{len(shown)} of the {answer.difference_count} that they read differently")
    rows = [_row(each) for each in shown]
    if not show:
        print_table(DIFFERENCES, rows)
        return
    from cli.picture import drawn

    for each, row in zip(shown, rows, strict=True):
        print_table(DIFFERENCES, [row])
        print(drawn(each.pixels))


def _row(each: Difference) -> tuple[object, ...]:
    first, second = f"{each.first_confidence:.1%}", f"{each.second_confidence:.1%}"
    return (each.label, each.first_digit, first, each.second_digit, second)
