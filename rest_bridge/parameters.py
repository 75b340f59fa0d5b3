"""What an address says after "?": a name that a call does not know is refused, not overlooked."""

from __future__ import annotations

from flask import Flask, current_app, request

from rest_bridge import reading
from rest_bridge.access import OPEN
from rest_bridge.operations import operation_of


def install(app: Flask) -> None:
    """Checks every call but probes and the page, whose addresses others lengthen: balancers, mailers."""

    def check() -> None:
        if request.endpoint and request.endpoint not in OPEN:
            reading.check_parameters(operation_of(current_app.view_functions[request.endpoint]).query)

    app.before_request(check)
