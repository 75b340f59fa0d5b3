"""`digits up --detach` and `digits down`."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import IO

import psutil

from deploy.native.errors import CannotStart
from deploy.native.folder import StateFolder
from deploy.native.supervision.lock import holder, locked
from deploy.native.supervision.log_rotation import rotate
from deploy.native.supervision.orphans import end_orphans
from deploy.native.supervision.record import RunRecord
from digits.settings import Settings

SUPERVISOR = "supervisor"
# More than the graces of all processes together.
MAX_DOWN_SECONDS = 90.0
POLL_SECONDS = 0.1
ERROR_PREFIX = "digits: "


def detach(settings: Settings, stack_name: str, say: Callable[[str], None]) -> None:
    """Starts the service on that stack in the background, and returns when it is ready.

    `say` gets its lines meanwhile. Raises CannotStart with the reason when it does not come up.
    """
    folder = StateFolder.at(settings.var_dir)
    folder.make()
    # Before its end is looked for: the supervisor would empty it later.
    with contextlib.suppress(OSError):
        rotate(folder.log_of(SUPERVISOR))
    with folder.log_of(SUPERVISOR).open("ab") as output, folder.log_of(SUPERVISOR).open("rb") as lines:
        lines.seek(0, os.SEEK_END)
        process = subprocess.Popen(
            [sys.executable, "-m", "cli.main", "up", "--stack", stack_name],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _follow(process, lines, folder, say)
        except BaseException:
            process.terminate()
            process.wait()
            raise


def down(settings: Settings) -> bool:
    """Stops the service and waits until every process is gone; returns whether one ran."""
    folder = StateFolder.at(settings.var_dir)
    if not folder.run.exists():
        return False
    pid = _supervisor(folder)
    if pid:
        _stop(pid, folder)
    with locked(folder):
        orphans = end_orphans(folder)
    return bool(pid) or orphans > 0


def _follow(
    process: subprocess.Popen[bytes], lines: IO[bytes], folder: StateFolder, say: Callable[[str], None]
) -> None:
    reason = ""
    while True:
        ended, record = process.poll(), RunRecord.read(folder)
        is_ready = record is not None and record.ready and record.pid == process.pid
        # Another that was started beside this one, and refused, says so in the same file.
        text, _, said = lines.read().decode("utf-8", "replace").partition(ERROR_PREFIX)
        reason = said or reason
        # What comes after another's refusal is ours again.
        for line in (text if ended else text + said.partition("\n")[2]).splitlines():
            say(line)
        if is_ready:
            return
        if ended is not None:
            known = f"it ended with code {ended}; its log is {folder.log_of(SUPERVISOR)}"
            raise CannotStart(reason.rstrip() or known)
        time.sleep(POLL_SECONDS)


def _supervisor(folder: StateFolder) -> int:
    """The id of the process that holds the folder; 0 if none does."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        pid = holder(folder)
        # 0: it has the lock and is about to write its id.
        if pid != 0:
            return pid or 0
        time.sleep(POLL_SECONDS)
    return 0


def _stop(pid: int, folder: StateFolder) -> None:
    try:
        supervisor = psutil.Process(pid)
        supervisor.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + MAX_DOWN_SECONDS
        while holder(folder) == pid and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        if holder(folder) == pid:
            supervisor.kill()
        supervisor.wait(timeout=10)
    except (psutil.NoSuchProcess, psutil.TimeoutExpired):
        return
