"""Names of jobs. Each begins with when it was made, so that they sort by age and tell how old a file is."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime

_FORMAT = "%Y%m%d-%H%M%S"
_NEW_ID = re.compile(r"(\d{8}-\d{6})\d{3}-[0-9a-f]{6}")


def new_job_id() -> str:
    """A name that no other job has: the time, UTC, to the millisecond, and something random."""
    moment = datetime.now(UTC).strftime(_FORMAT + "%f")[:-3]
    return f"{moment}-{secrets.token_hex(3)}"


def may_be_job_id(name: str) -> bool:
    """Whether a job could have that name: it is no path to something else."""
    return name.replace("-", "").isalnum() and name.isascii() and len(name) <= 64


def age_seconds(job_id: str) -> float | None:
    """How long ago the id was made; None if it is none of ours."""
    match = _NEW_ID.fullmatch(job_id)
    if match is None:
        return None
    try:
        made = datetime.strptime(match[1], _FORMAT).replace(tzinfo=UTC)
    except ValueError:
        return None
    return (datetime.now(UTC) - made).total_seconds()
