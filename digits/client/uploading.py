"""A batch's file as the messages of TrainUpload."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import IO

from digits.v1 import digit_service_pb2 as pb

_CHUNK_BYTES = 256 << 10


def upload_parts(header: pb.TrainRequest, batch: bytes | IO[bytes]) -> Iterator[pb.TrainUploadRequest]:
    """The header, and then the batch in pieces, from where the file stands."""
    yield pb.TrainUploadRequest(header=header)
    file = io.BytesIO(batch) if isinstance(batch, bytes) else batch
    # A call that was refused leaves its file to whoever opened it, who may close it meanwhile.
    while not file.closed and (chunk := file.read(_CHUNK_BYTES)):
        yield pb.TrainUploadRequest(chunk=chunk)
