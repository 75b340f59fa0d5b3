"""The time of day as protobuf keeps it."""

import time

from google.protobuf.timestamp_pb2 import Timestamp


def now() -> Timestamp:
    """The time of day, UTC."""
    stamp = Timestamp()
    stamp.GetCurrentTime()
    return stamp


def seconds_since(stamp: Timestamp) -> float:
    """Seconds that have passed since a time of day."""
    return time.time() - stamp.ToNanoseconds() / 1e9
