"""Disks of the service's stores that are full for a while, each for itself."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from random import Random

from tests.as_root import NotAllowed, as_root
from tests.chaos.faults import SECONDS, Fault
from tests.chaos.ledger import Ledger
from tests.small_disk import mount, unmount

# A disk in memory takes no more of it than it holds.
_SIZE_BYTES = 2 << 30
# By stack, below the state folder. Not the NameNode's: without room it goes into safe mode until somebody
# tells it to leave.
_FOLDERS = {
    "embedded": ("store/models", "store/checkpoints", "store/uploads", "log", "zookeeper", "valkey"),
    "real": ("real/datanode", "real/kafka", "real/zookeeper", "real/rabbitmq", "real/valkey"),
}
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@contextlib.contextmanager
def own_disks(var_dir: Path, stack: str) -> Iterator[list[Path]]:
    """Before the service starts: a disk of its own for each of its stores; none, said once, if we may not."""
    folders = [var_dir / folder for folder in _FOLDERS[stack]]
    with contextlib.ExitStack() as mounted:
        try:
            for folder in folders:
                mount(folder, _SIZE_BYTES)
                mounted.callback(unmount, folder)
        except NotAllowed as error:
            print(f"no full disks: {error}")
            folders = []
        yield folders


class FullDisks:
    """See Kind. A training that finds no room may fail, and the ledger excuses it."""

    def __init__(self, disks: list[Path], ledger: Ledger) -> None:
        self._disks, self._ledger = disks, ledger

    def draw(self, random_: Random) -> Fault:
        """See Kind."""
        disk, seconds = random_.choice(self._disks), random_.choice(SECONDS)
        return Fault("fill", f"{disk.parent.name}/{disk.name}", partial(self._fill, disk, seconds), seconds)

    def _fill(self, disk: Path, seconds: float) -> bool:
        with self._ledger.excusing_no_room():
            try:
                _shrink(disk)
                time.sleep(seconds)
            finally:
                as_root("mount", "-o", f"remount,size={_SIZE_BYTES}", str(disk))
        return True


def _shrink(disk: Path) -> None:
    """Leaves a disk no more room than it holds. No file of ours is there for the service to find."""
    for _ in range(100):
        state = os.statvfs(disk)
        used_bytes = (state.f_blocks - state.f_bfree) * state.f_frsize
        # Something may be written between.
        with contextlib.suppress(NotAllowed):
            # 0 would be no limit.
            return as_root("mount", "-o", f"remount,size={max(used_bytes, _PAGE_BYTES)}", str(disk))
    raise NotAllowed(f"{disk} cannot be made smaller")
