"""Standard output that takes nothing: a full disk, a closed pipe or descriptor."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

# What a write ends with; files that commands read and write by name have their own sentences.
_REFUSED = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF, errno.EPIPE})


@contextmanager
def standard_output() -> Iterator[None]:
    """Ends the process with 1, and a sentence on stderr, if what was printed did not get out.

    Whoever closed a pipe, as `head` does, has read enough: then there is no sentence.
    """
    # Python has none for a descriptor that was closed before it began (>&-), and print would say nothing.
    if sys.stdout is None:
        _end("it is closed")
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except OSError as error:
        if error.errno not in _REFUSED or error.filename is not None:
            raise
        # Python flushes once more when it ends, and would say that as a traceback.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        _end("" if isinstance(error, BrokenPipeError) else str(error.strerror))


def _end(problem: str) -> NoReturn:
    if problem:
        print(f"digits: standard output takes nothing: {problem}", file=sys.stderr)
    sys.exit(1)
