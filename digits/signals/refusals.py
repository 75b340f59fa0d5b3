"""Calls that were not let in: counted, and written down with from where they came."""

from __future__ import annotations

from digits.errors import Forbidden, Unauthenticated
from digits.signals import audit
from digits.signals.metrics.refused import REFUSED

# Of a token that nobody knows, nobody knows the holder; the text of the other names him.
_STRANGER = "a stranger"
_HOLDER = "its holder"


def tell(error: Unauthenticated | Forbidden, origin: str) -> None:
    """A call from an address was refused."""
    known = isinstance(error, Forbidden)
    REFUSED.labels("permission_denied" if known else "unauthenticated").inc()
    audit.record("refuse a token:", str(error), who=_HOLDER if known else _STRANGER, origin=origin)
