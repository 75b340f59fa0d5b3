"""Changes of the tokens file, for the audit and for whoever watches."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from digits.errors import Misconfigured
from digits.signals import audit
from digits.signals.metrics import tokens as measured


def tell(path: Path, before: Mapping[str, str], now: Mapping[str, str]) -> None:
    """Writes down whose tokens came and went; both map a token's digest to its holder and roles."""
    gained = sorted(now[known] for known in now.keys() - before.keys())
    lost = sorted(before[known] for known in before.keys() - now.keys())
    changed = sorted(now[known] for known in now.keys() & before.keys() if now[known] != before[known])
    parts = {"new": gained, "gone": lost, "changed": changed}
    what = "; ".join(f"{kind}: {', '.join(names)}" for kind, names in parts.items() if names)
    audit.record("change the tokens:", what or "none of them", who=_owner(path), origin=str(path))


def tell_reading() -> None:
    """The file is read; what is wrong with it comes next."""
    measured.FILE_INVALID.set(0)


def tell_invalid_line() -> None:
    """A line of the file is nobody's."""
    measured.FILE_INVALID.set(1)
    measured.FILE_ERRORS.inc()


def tell_failure(path: Path, error: Misconfigured) -> None:
    """Writes down that the file is invalid."""
    measured.FILE_INVALID.set(1)
    measured.FILE_ERRORS.inc()
    audit.record("change the tokens, which fails:", str(error), who=_owner(path), origin=str(path))


def _owner(path: Path) -> str:
    """Whoever owns the file now; the system keeps no other name."""
    try:
        return f"the file's owner {path.owner()}"
    except (OSError, KeyError):
        return "an unknown owner"
