"""Prints answers, for people or as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from google.protobuf.message import Message
    from google.protobuf.timestamp_pb2 import Timestamp


def as_dict(message: Message) -> dict[str, Any]:
    """The message in protobuf's JSON form, with the names of the .proto and fields that are zero."""
    from google.protobuf.json_format import MessageToDict

    return MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)


def print_json(document: Any) -> None:
    """Prints one JSON document on one line, at once."""
    print(json.dumps(document), flush=True)


def print_pruned(names: Sequence[str], what: str, dry_run: bool, as_json: bool) -> None:
    """Prints what was pruned, or would be: a name a line, and how many on the last."""
    if as_json:
        print_json({"pruned": list(names), "dry_run": dry_run})
        return
    for name in names:
        print(name)
    print(f"{len(names)} {what} {'would be' if dry_run else 'were'} removed")


def print_fields(fields: Mapping[str, object]) -> None:
    """Prints a name and a value a line; what is empty is left out."""
    given = {name: str(value) for name, value in fields.items() if str(value)}
    width = max(map(len, given))
    for name, value in given.items():
        print(f"{name.ljust(width)}  {value}")


def time_text(time: Timestamp) -> str:
    """A time in UTC, to the second: 2026-11-26 04:37:53."""
    return time.ToDatetime().isoformat(" ", "seconds")
