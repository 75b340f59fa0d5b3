"""What an append to the embedded log costs, and a look at all of it, by how many blocks it holds.

`python -m benchmarks.spool [FOLDER]`, which is on the disk to be measured; else here.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from digits.adapters.spool import SpoolLog
from digits.offsets import OffsetRanges

_BLOCKS = (1_000, 10_000, 100_000)
# As many as the ingest appends at once, and as large as 64 images of MNIST are.
_AT_ONCE = 32
_BLOCK = bytes(10_240)
_REPETITIONS = 20
_JOB = "benchmark"


def main() -> None:
    """Prints a row for each number of blocks."""
    print(f" blocks  ms per append of {_AT_ONCE}  ms per look at all")
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if sys.argv[1:] else ".") as folder:
        log = SpoolLog(Path(folder))
        log.create(_JOB, 1)
        for blocks in _BLOCKS:
            _append(log, blocks - log.end_offsets(_JOB)[0])
            per_append = _append(log, _AT_ONCE * _REPETITIONS) / _REPETITIONS
            print(f"{blocks:7,}  {1000 * per_append:16.1f}  {1000 * _look(log):17.1f}", flush=True)


def _append(log: SpoolLog, blocks: int) -> float:
    """Seconds to append so many blocks."""
    (first,) = log.end_offsets(_JOB)
    started = time.perf_counter()
    for at in range(0, blocks, _AT_ONCE):
        log.append(_JOB, 0, first + at, [_BLOCK] * min(_AT_ONCE, blocks - at))
    return time.perf_counter() - started


def _look(log: SpoolLog) -> float:
    """Seconds to list the folder, as the reader does for each micro-batch."""
    options = log.source(_JOB, OffsetRanges(), _AT_ONCE).options
    started = time.perf_counter()
    for path in Path(options["path"]).glob(options["pathGlobFilter"]):
        path.stat()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
