"""What picture a request is about."""

from __future__ import annotations

from digits.datasets import data_folder
from digits.errors import InvalidInput
from digits.imaging.candidate import Candidate
from digits.imaging.raw_pixels import from_pixels
from digits.settings import Settings
from digits.v1 import digit_service_pb2 as pb
from digits.v1.decoding_pb2 import PictureFile


def pixels_from(request: pb.ClassifyRequest) -> Candidate:
    """Returns the request's 784 bytes as the only reading; raises InvalidInput."""
    return from_pixels(request.pixels, "pixels")


def file_from(request: pb.ClassifyRequest, settings: Settings) -> PictureFile:
    """The request's picture file, from the data folder if it names one; raises InvalidInput, NotFound."""
    kind = request.WhichOneof("picture")
    if kind not in ("image", "image_path"):
        raise InvalidInput("picture", "give one of image_path, image and pixels")
    content = request.image if kind == "image" else _content(request.image_path, settings)
    return PictureFile(content=content, field=kind, max_bytes=settings.max_image_bytes)


def _content(relative: str, settings: Settings) -> bytes:
    return data_folder.read(settings.data_dir, relative, "image_path", settings.max_image_bytes + 1)
