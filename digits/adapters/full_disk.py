"""Tells a disk that takes nothing from one that is away."""

from __future__ import annotations

import errno

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM})


def means_full(error: OSError) -> bool:
    """Whether the disk answers and has no room for us, or may only be read."""
    return error.errno in _FULL
