"""How much a packed file may unpack to: a megabyte that says it is a gigabyte is refused, not unpacked."""

from __future__ import annotations

# MNIST's pictures are packed to a fifth, its labels, sorted and as 64 bits, to a hundredth.
MAX_RATIO = 100
# What is below is unpacked whatever its ratio: labels that are all alike are packed to a thousandth.
FREE_BYTES = 32 << 20


def ratio_fault(unpacked_bytes: int, packed_bytes: int) -> str:
    """What is wrong with so much in so little, or nothing."""
    if unpacked_bytes <= max(FREE_BYTES, MAX_RATIO * packed_bytes):
        return ""
    return (
        f"says that {packed_bytes:,} bytes unpack to {unpacked_bytes:,}; above {FREE_BYTES:,} at most "
        f"{MAX_RATIO} times as many are allowed: save it without compression, with numpy.savez"
    )
