"""How long something has been so, though whoever wrote down since when may have another clock."""

from __future__ import annotations

import time

from google.protobuf.timestamp_pb2 import Timestamp

from digits import clock


class Ages:
    """Ages of what is looked at again and again; what one look leaves out is forgotten."""

    def __init__(self) -> None:
        self._before: dict[tuple[str, int], float] = {}
        self._seen: dict[tuple[str, int], float] = {}

    def look_again(self) -> None:
        """Another look begins."""
        self._before, self._seen = self._seen, {}

    def seconds(self, name: str, since: Timestamp) -> float:
        """Seconds since a time of day, and no fewer than this process has seen it there under that name.

        Its writer's clock may be an hour ahead: by the time of day alone, nothing would ever be old.
        """
        return max(clock.seconds_since(since), self.seconds_seen(name, since.ToNanoseconds()))

    def seconds_seen(self, name: str, state: int) -> float:
        """Seconds for which this process has seen something in a state."""
        key, now = (name, state), time.monotonic()
        return now - self._seen.setdefault(key, self._before.get(key, now))
