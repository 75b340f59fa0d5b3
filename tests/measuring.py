"""What tests read of this process's metrics, which other tests add to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from prometheus_client import REGISTRY


def value(name: str, **labels: str) -> float:
    """A sample's value; 0 if there is none yet."""
    return REGISTRY.get_sample_value(name, labels) or 0.0


@dataclass
class Growth:
    """By how much a sample grew."""

    by: float = 0.0


@contextmanager
def growth(name: str, **labels: str) -> Iterator[Growth]:
    """What a sample grows by inside."""
    grown = Growth()
    before = value(name, **labels)
    yield grown
    grown.by = value(name, **labels) - before
