"""The holes that a full disk leaves in Valkey's append-only file are taken out, and nothing else is."""

from __future__ import annotations

import pytest

from deploy.native.servers.valkey_start import without_holes


def command(*words: bytes) -> bytes:
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


FIRST = command(b"LPUSH", b"train", b"a job")
# Looks like the end of a command, a hole and another command.
TRICKY = command(b"LPUSH", b"classify", b"\r\n" + bytes(64) + b"*1\r\n$4\r\nPING\r\n")
LAST = command(b"RPOP", b"train")


@pytest.mark.parametrize("hole", [1, 555, 5000])
def test_a_hole_between_two_commands_is_taken_out(hole: int) -> None:
    data = FIRST + bytes(hole) + TRICKY + bytes(hole) + LAST + bytes(hole)
    assert without_holes(data) == FIRST + TRICKY + LAST


@pytest.mark.parametrize(
    "data",
    [
        b"",
        FIRST + TRICKY + LAST,
        TRICKY,
        FIRST + TRICKY[:-9],
        TRICKY + b"$1\r\nno command\r\n" + bytes(9) + LAST,
        FIRST + b"*junk\r\n" + bytes(9) + LAST,
    ],
)
def test_a_file_without_one_and_what_is_no_command_stay_as_they_are(data: bytes) -> None:
    assert without_holes(data) == data
