"""The audit: who did what, when and from where, as lines of the log "digits.audit"."""

from __future__ import annotations

import logging
import socket

from digits.signals.logs import FIELDS

logger = logging.getLogger("digits.audit")

THE_SERVICE = "the service"


def record(action: str, what: str, *, who: str, origin: str) -> None:
    """Writes down what was done; `origin` is an address, a job, or a file."""
    fields = {"action": action, "what": what, "who": who, "origin": origin}
    logger.info("%s %s, by %s from %s", action, what, who, origin, extra={FIELDS: fields})


def by_the_service(action: str, names: list[str]) -> None:
    """Writes down what the service did by itself; nothing for nothing."""
    if names:
        record(action, ", ".join(names), who=THE_SERVICE, origin=socket.gethostname())
