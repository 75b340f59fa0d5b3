"""How files are fetched over HTTP."""

from __future__ import annotations

import logging
import os
import ssl
from pathlib import Path

import pooch


def downloader(timeout_seconds: float) -> pooch.HTTPDownloader:
    """Fetches one file; the timeout holds for each wait.

    It trusts whom this machine trusts, not its own list alone: a mirror's authority may be a company's.
    """
    # It would print a line for each file.
    pooch.get_logger().setLevel(logging.ERROR)
    return pooch.HTTPDownloader(chunk_size=1 << 20, timeout=timeout_seconds, verify=_authorities())


def share(path: Path) -> None:
    """Gives a fetched file the mode of any new file: pooch leaves it to its owner alone."""
    umask = os.umask(0)
    os.umask(umask)
    path.chmod(0o666 & ~umask)


def _authorities() -> str | bool:
    """A file or a folder of certificates; True for the list that comes with requests."""
    system = ssl.get_default_verify_paths()
    return os.environ.get("REQUESTS_CA_BUNDLE") or system.cafile or system.capath or True
