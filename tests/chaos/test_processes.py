"""Who is killed is found beside whatever else its parent has started."""

from __future__ import annotations

import subprocess
import sys

import psutil

from tests.chaos.processes import _is_called
from tests.waiting import wait_until


def test_a_process_that_has_ended_and_was_not_waited_for_hides_no_other() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        process = psutil.Process(ended.pid)
        wait_until(lambda: process.status() == psutil.STATUS_ZOMBIE, what="its end")
        assert not _is_called(process, "python")
    assert _is_called(psutil.Process(), "python")
