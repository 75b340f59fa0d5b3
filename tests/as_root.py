"""Commands that only root may run."""

from __future__ import annotations

import os
import shutil
import subprocess

_SUDO = [] if os.getuid() == 0 else ["sudo", "-n"]
# Where they are, also on a machine that does not show them to everybody.
_PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"


class NotAllowed(Exception):
    """This machine does not let us, or does not have the command."""


def as_root(command: str, *arguments: str) -> None:
    """Runs it; raises NotAllowed with what it said if it fails."""
    found = shutil.which(command, path=_PATH)
    if found is None:
        raise NotAllowed(f"there is no {command}")
    done = subprocess.run([*_SUDO, found, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotAllowed(f"{command}: {done.stderr.strip()}")
