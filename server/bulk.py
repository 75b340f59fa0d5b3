"""How the pictures of bulk streams are shared out, so that single callers have room beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from digits.v1 import digit_service_pb2 as pb

# Of all streams together: one is answered and one is decoded, and whoever asks for a single picture waits for
# two pieces at most. The streams take turns.
MAX_PIECES = 2
# A file mostly has so many readings.
_READINGS_OF_A_FILE = 4


def pieces(
    requests: Sequence[pb.ClassifyRequest], max_readings: int
) -> Iterator[Sequence[pb.ClassifyRequest]]:
    """Cuts a message into pieces of about so many readings, each of one picture at least."""
    start = size = 0
    for at, request in enumerate(requests):
        readings = 1 if request.WhichOneof("picture") == "pixels" else _READINGS_OF_A_FILE
        if size and size + readings > max_readings:
            yield requests[start:at]
            start, size = at, 0
        size += readings
    yield requests[start:]
