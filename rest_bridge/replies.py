"""Protobuf messages as JSON, and the client that the views share."""

from __future__ import annotations

import json

from flask import Response, current_app
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from digits.client.client import Client
from rest_bridge.access import authorization
from rest_bridge.measures import passed_on


def client() -> Client:
    """The application's gRPC client, on behalf of whoever sent the request."""
    found: Client = current_app.extensions["digits"]
    return found.on_behalf_of(authorization(), passed_on())


def json_text(message: Message) -> str:
    """The message in protobuf's JSON mapping on one line, names and zeros kept; int64 becomes a string."""
    fields = MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    return json.dumps(fields)


def json_reply(message: Message, status: int = 200) -> Response:
    """The message as a response."""
    return Response(json_text(message), status, mimetype="application/json")
