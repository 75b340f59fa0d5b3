"""Reads picture files for a server, which starts it: `python -m server.decoder_process`.

A frame on standard input asks, one on standard output answers, in order. It ends when the server does, since
then its standard input ends, and not by what a terminal or a supervisor sends to all.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import BinaryIO

from digits.v1 import decoding_pb2
from server import picture_wire

# A frame is a message with its length before it.
LENGTH_BYTES = 4


def frame(message: bytes) -> bytes:
    """A message as it goes through a pipe."""
    return len(message).to_bytes(LENGTH_BYTES) + message


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answers until there are no more requests; the first frame is empty and says that it is ready."""
    answer = b""
    while True:
        answers.write(frame(answer))
        answers.flush()
        length = requests.read(LENGTH_BYTES)
        if len(length) < LENGTH_BYTES:
            return
        file = decoding_pb2.PictureFile.FromString(requests.read(int.from_bytes(length)))
        answer = picture_wire.read(file).SerializeToString()


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    # Whatever a library prints goes where logs go.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        serve(sys.stdin.buffer, answers)
    except BrokenPipeError:
        os._exit(0)
