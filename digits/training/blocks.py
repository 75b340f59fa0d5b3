"""Some labelled images as one log record: digits.v1.ImageBlock, compressed with zstandard."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from google.protobuf.message import DecodeError

from digits.compression import compress, decompress
from digits.datasets.shards import Images
from digits.errors import Corrupt
from digits.pixels import PIXELS_PER_IMAGE
from digits.v1 import artifacts_pb2 as pb

IMAGES_PER_BLOCK = 64
# Noise, which cannot be compressed, is 0.8 MB then; Kafka takes no message above 1 MB.
MAX_IMAGES_PER_BLOCK = 1_024
# Spark looks at a spool's files before each micro-batch: 0.3 s for nine thousand (docs/scaling.md).
_MANY_BLOCKS = 2_048

# The images, and room for the message's own tags and lengths.
_MAX_UNPACKED_BYTES = MAX_IMAGES_PER_BLOCK * (PIXELS_PER_IMAGE + 1) + 64


def images_per_block(count: int) -> int:
    """How many images each block of so many holds: 64, and of many images more, so that blocks stay few."""
    size = IMAGES_PER_BLOCK
    while size < MAX_IMAGES_PER_BLOCK and count > size * _MANY_BLOCKS:
        size *= 2
    return size


def pack(images: Images) -> bytes:
    """Returns 1 to 1,024 images as one block, about 165 bytes an image."""
    if not 1 <= len(images) <= MAX_IMAGES_PER_BLOCK:
        raise ValueError(f"a block holds 1 to {MAX_IMAGES_PER_BLOCK:,} images, not {len(images)}")
    block = pb.ImageBlock(
        image_count=len(images), pixels=images.pixels.tobytes(), labels=images.labels.tobytes()
    )
    return compress(block.SerializeToString())


def unpack(block: bytes) -> Images:
    """Returns the images of a block; raises Corrupt for anything that `pack` did not write."""
    try:
        message = pb.ImageBlock.FromString(decompress(block, _MAX_UNPACKED_BYTES))
    except DecodeError as error:
        raise Corrupt(f"an image block is damaged: {error}") from error
    count = message.image_count
    lengths = (len(message.pixels), len(message.labels))
    if not 1 <= count <= MAX_IMAGES_PER_BLOCK or lengths != (count * PIXELS_PER_IMAGE, count):
        raise Corrupt(f"an image block says {count} images but holds {lengths[0]} and {lengths[1]} bytes")
    labels = np.frombuffer(message.labels, np.uint8)
    if labels.max() > 9:
        raise Corrupt(f"an image block holds the label {labels.max()}")
    return Images(np.frombuffer(message.pixels, np.uint8).reshape(count, PIXELS_PER_IMAGE), labels)


def blocks(chunks: Iterable[Images], size: int = IMAGES_PER_BLOCK) -> Iterator[bytes]:
    """Packs a stream of images, in its order, into blocks of `size`; the last may hold fewer."""
    rest = Images(np.empty((0, PIXELS_PER_IMAGE), np.uint8), np.empty(0, np.uint8))
    for chunk in chunks:
        images = _joined(rest, chunk)
        whole = len(images) - len(images) % size
        for start in range(0, whole, size):
            yield pack(_slice(images, start, start + size))
        rest = _slice(images, whole, len(images))
    if len(rest):
        yield pack(rest)


def _joined(first: Images, second: Images) -> Images:
    if not len(first):
        return second
    return Images(
        np.concatenate([first.pixels, second.pixels]), np.concatenate([first.labels, second.labels])
    )


def _slice(images: Images, start: int, end: int) -> Images:
    return Images(images.pixels[start:end], images.labels[start:end])
