"""How much the process that reads Parquet may take."""

from __future__ import annotations

# Of addresses. Python and pyarrow have 290 MB before they see a file, and 370 MB while they read 280,000
# images of 784 columns in one row group.
MAX_MEMORY_BYTES = 640 << 20
NEEDS_MEMORY = (
    f"it needs more than the {MAX_MEMORY_BYTES >> 20} MB of memory that reading a Parquet file may take: "
    "write it with row_group_size=10_000, or as an npz"
)
# Of a processor, for all files together.
MAX_SECONDS = 5.0
# More of it for each time that a file is opened, and for each image: a PNG takes 0.04 ms.
SECONDS_A_FILE, SECONDS_AN_IMAGE = 0.05, 0.0003
NEEDS_TIME = (
    f"it takes more than {MAX_SECONDS:.0f} s of a processor, and {SECONDS_AN_IMAGE * 1000:.1f} ms for each "
    "image: write it again, or as an npz"
)
DIED = (
    f"it is damaged, or needs more than {MAX_MEMORY_BYTES >> 20} MB of memory: what read it came to grief; "
    "write it with row_group_size=10_000, or as an npz"
)
