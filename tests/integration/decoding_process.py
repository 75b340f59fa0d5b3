"""Decodes the picture files that its command line names, as a server does, all at once."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from digits.errors import DigitsError
from digits.settings import Settings
from digits.v1 import digit_service_pb2 as pb
from server.pictures.pictures import Pictures


def memory(name: str, pids: Iterable[int]) -> int:
    """One of the kernel's figures about some processes, in bytes."""
    found = (Path(f"/proc/{pid}/status").read_text(encoding="ascii").partition(f"{name}:")[2] for pid in pids)
    return sum(int(said.split()[0]) * 1024 for said in found)


async def decode(pictures: Pictures, files: list[bytes]) -> Counter[str]:
    """Counts how the files ended: "read", or what was wrong."""
    ends = await asyncio.gather(
        *(pictures.candidates(pb.ClassifyRequest(image=data)) for data in files), return_exceptions=True
    )
    for end in ends:
        if isinstance(end, BaseException) and not isinstance(end, DigitsError):
            raise end
    return Counter(str(end) if isinstance(end, DigitsError) else "read" for end in ends)


async def main() -> None:
    """Prints by how many bytes the memory rose at most, and then how each file ended."""
    settings = Settings()
    first, *files = [Path(name).read_bytes() for name in sys.argv[1:]]
    pictures = Pictures(settings)
    decoders = pictures._decoders
    while len(decoders.pids()) < settings.picture_processes:
        await decode(pictures, [first])
    pids = [os.getpid(), *decoders.pids()]
    before = memory("VmRSS", pids)
    for pid in pids:
        # Takes the present memory for the most that there was.
        Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")
    ends = await decode(pictures, [first, *files])
    print(memory("VmHWM", pids) - before)
    for end, count in (ends - Counter({"read": 1})).items():
        print(count, end)
    await pictures.end()


if __name__ == "__main__":
    asyncio.run(main())
