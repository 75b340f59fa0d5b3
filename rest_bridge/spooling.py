"""Where a form's files are while they are handed on: on disk, in the bridge's own state folder."""

from __future__ import annotations

from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from flask import Request

# A picture mostly has less. In a container /tmp is memory.
_IN_MEMORY_BYTES = 500 << 10


def request_class(folder: Path) -> type[Request]:
    """Requests whose larger files are nameless ones in a folder, and gone with their request."""

    class Spooling(Request):
        def _get_file_stream(
            self,
            total_content_length: int | None,
            content_type: str | None,
            filename: str | None = None,
            content_length: int | None = None,
        ) -> IO[bytes]:
            if total_content_length is None or total_content_length > _IN_MEMORY_BYTES:
                folder.mkdir(parents=True, exist_ok=True)
            stream: Any = SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES, dir=str(folder))  # noqa: SIM115
            return stream  # type: ignore[no-any-return]

    return Spooling
