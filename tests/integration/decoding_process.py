"""Decodes the picture files that its command line names, as a server does, all at once."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from pathlib import Path

from digits.errors import DigitsError
from digits.settings import Settings
from digits.v1 import digit_service_pb2 as pb
from server.pictures import Pictures


def memory(name: str) -> int:
    """One of the kernel's figures about this process, in bytes."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition(f"{name}:")[2].split()[0]) * 1024


async def decode(files: list[bytes]) -> Counter[str]:
    """Counts how the files ended: "read", or what was wrong."""
    pictures = Pictures(Settings(picture_processes=0))
    ends = await asyncio.gather(
        *(pictures.candidates(pb.ClassifyRequest(image=data)) for data in files), return_exceptions=True
    )
    for end in ends:
        if isinstance(end, BaseException) and not isinstance(end, DigitsError):
            raise end
    return Counter(str(end) if isinstance(end, DigitsError) else "read" for end in ends)


def main() -> None:
    """Prints by how many bytes the memory rose at most, and then how each file ended."""
    first, *files = [Path(name).read_bytes() for name in sys.argv[1:]]
    asyncio.run(decode([first]))
    before = memory("VmRSS")
    # Takes the present memory for the most that there was.
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    ends = asyncio.run(decode(files))
    print(memory("VmHWM") - before)
    for end, count in ends.items():
        print(count, end)


if __name__ == "__main__":
    main()
