"""Files that are almost right: valid ones with a few bytes changed, cut out, doubled or put in."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

# What parsers take for sizes, counts and offsets.
_EDGES = (
    b"\0",
    b"\xff",
    b"\x7f",
    b"\x80",
    b"\0\0\0\0",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\0\0\0\1",
)


@st.composite
def damaged(draw: st.DrawFn, files: Sequence[bytes]) -> bytes:
    """One of the files with up to eight changes, or a short file of any bytes at all."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=300))
    data = bytearray(draw(st.sampled_from(files)))
    for _ in range(draw(st.integers(0, 8))):
        at = draw(st.integers(0, len(data)))
        length = draw(st.integers(0, 16))
        kind = draw(st.sampled_from(["change", "edge", "cut", "end", "double"]))
        if kind == "change":
            data[at : at + length] = draw(st.binary(min_size=length, max_size=length))
        elif kind == "edge":
            edge = draw(st.sampled_from(_EDGES))
            data[at : at + len(edge)] = edge
        elif kind == "cut":
            del data[at : at + length]
        elif kind == "end":
            del data[at:]
        else:
            data[at:at] = data[at : at + length]
    return bytes(data)
