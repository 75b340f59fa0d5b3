"""Answers by version, for as many versions as a dashboard can show."""

from __future__ import annotations

from collections import OrderedDict

from digits.signals.metrics.serving import ANSWERED
from digits.v1 import digit_service_pb2 as pb

# A roll-out is of two versions; the others are there to look back.
_MAX_VERSIONS = 8
# Callers choose these versions: as a label, each would be a series.
BY_NAME = "by_name"


class AnsweredPictures:
    """Counts pictures by who answered and with which version; forgets versions that answered long ago."""

    def __init__(self) -> None:
        self._versions: OrderedDict[str, None] = OrderedDict()

    def count(self, version: str, served_by: pb.ServedBy, pictures: int) -> None:
        """Adds pictures that a version answered."""
        self._versions[version] = None
        self._versions.move_to_end(version)
        if len(self._versions) > _MAX_VERSIONS:
            self._forget(self._versions.popitem(last=False)[0])
        ANSWERED.labels(pb.ServedBy.Name(served_by).lower(), version).inc(pictures)

    def _forget(self, version: str) -> None:
        for name in pb.ServedBy.DESCRIPTOR.values_by_name:
            ANSWERED.remove(name.lower(), version)
