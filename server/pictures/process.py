"""Reads picture files for a server, which starts it: `python -m server.pictures.process`.

A frame on standard input asks, one on standard output answers. It ends when the server does, since then its
standard input ends, and not by what a terminal or a supervisor sends to all.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from typing import BinaryIO

from digits.v1 import decoding_pb2
from server.pictures import messages

# A frame is a message with its length before it.
LENGTH_BYTES = 4


def length_of(message: bytes) -> bytes:
    """What goes before a message through a pipe."""
    return len(message).to_bytes(LENGTH_BYTES)


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answers until there are no more requests; the first frame is empty and says that it is ready."""
    answer = b""
    while True:
        answers.write(length_of(answer) + answer)
        answers.flush()
        length = requests.read(LENGTH_BYTES)
        content = requests.read(int.from_bytes(length))
        if len(length) < LENGTH_BYTES or len(content) < int.from_bytes(length):
            return
        answer = _answer(decoding_pb2.PictureFile.FromString(content)).SerializeToString()


def _answer(file: decoding_pb2.PictureFile) -> decoding_pb2.PictureReadings:
    try:
        return messages.read(file)
    except Exception as error:
        logging.getLogger(__name__).exception("a picture of %d bytes could not be read", len(file.content))
        return decoding_pb2.PictureReadings(number=file.number, failure=type(error).__name__)


def main() -> None:
    """Serves the server that started it."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    # Whatever a library prints goes to where logs go.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        serve(sys.stdin.buffer, answers)
    except BrokenPipeError:
        # Nothing is left to be flushed, and nobody there to read it.
        os._exit(0)


if __name__ == "__main__":
    main()
