"""Reads versions out of what is installed."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, version


def package_version(name: str) -> str:
    """The version of an installed package; empty if it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def first_version(text: str) -> str:
    """The first version of three numbers in a text; empty if there is none."""
    found = re.search(r"\d+\.\d+\.\d+", text)
    return found[0] if found else ""
