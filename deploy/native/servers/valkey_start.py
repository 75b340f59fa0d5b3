"""Becomes a Valkey once its append-only file has no holes: `python -m …valkey_start FOLDER COMMAND …`.

After a rewrite, Valkey 9.1 writes at its own place in that file and does not append (O_APPEND is missing). A
write that a full disk cuts short is taken back, but the next goes on after it: zeros are left between them,
and Valkey does not start again ("Bad file format").
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main() -> None:
    """Mends, then runs the command in this process' place."""
    folder, *command = sys.argv[1:]
    for file in Path(folder).glob("appendonlydir/*.incr.aof"):
        _mend(file)
    os.execv(command[0], command)  # noqa: S606  # Its process id is the supervisor's.


def _mend(file: Path) -> None:
    data = file.read_bytes()
    whole = without_holes(data)
    if len(whole) < len(data):
        print(
            f"{len(data) - len(whole)} zeros that a full disk left in {file.name} are taken out", flush=True
        )
        mended = file.with_suffix(".mended")
        mended.write_bytes(whole)
        mended.replace(file)


def without_holes(data: bytes) -> bytes:
    """The commands of an append-only file without the zeros between two of them.

    What is no command is left as it is, with all after it: Valkey says what is wrong with it, or leaves out
    an end that is cut short.
    """
    if b"\n\0" not in data and not data.startswith(b"\0"):
        return data
    commands = []
    at = 0
    while at < len(data):
        end = _end_of_command(data, at)
        if not end:
            break
        commands.append(data[at:end])
        at = _after_zeros(data, end)
    return b"".join([*commands, data[at:]])


def _end_of_command(data: bytes, at: int) -> int:
    """Where a command ends that begins there: *2, $4 RPOP, $8 classify; 0 if it is none, or has no end."""
    try:
        count, at = _number(data, at, b"*")
        for _ in range(count):
            length, at = _number(data, at, b"$")
            at += length + 2
    except ValueError:
        return 0
    return at if at <= len(data) else 0


def _number(data: bytes, at: int, kind: bytes) -> tuple[int, int]:
    """The number of a line that begins with such a character, and where the next line begins."""
    end = data.index(b"\r\n", at)
    if data[at : at + 1] != kind:
        raise ValueError("another kind of line")
    return int(data[at + 1 : end]), end + 2


def _after_zeros(data: bytes, at: int) -> int:
    while data[at : at + 1] == b"\0":
        at += 1
    return at


if __name__ == "__main__":
    main()
