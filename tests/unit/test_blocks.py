"""Some images are one log record, and a damaged record is never taken for images."""

from __future__ import annotations

import numpy as np
import pytest
import zstandard

from digits.datasets.shards import Images
from digits.errors import Corrupt
from digits.training.blocks import blocks, images_per_block, pack, unpack
from digits.v1 import artifacts_pb2 as pb


def some_images(count: int, seed: int = 0) -> Images:
    random = np.random.default_rng(seed)
    pixels = np.zeros((count, 784), np.uint8)
    pixels[:, 200:500] = random.integers(0, 256, (count, 300), np.uint8)
    return Images(pixels, random.integers(0, 10, count).astype(np.uint8))


def assert_same(first: Images, second: Images) -> None:
    np.testing.assert_array_equal(first.pixels, second.pixels)
    np.testing.assert_array_equal(first.labels, second.labels)


def message(count: int, pixels: int, labels: bytes) -> bytes:
    block = pb.ImageBlock(image_count=count, pixels=bytes(pixels), labels=labels)
    return zstandard.ZstdCompressor().compress(block.SerializeToString())


@pytest.mark.parametrize("count", [1, 63, 64, 1_024])
def test_a_block_gives_back_the_images_that_were_packed(count: int) -> None:
    images = some_images(count)
    assert_same(unpack(pack(images)), images)


@pytest.mark.parametrize("count", [0, 1_025])
def test_a_block_holds_1_to_1024_images(count: int) -> None:
    with pytest.raises(ValueError, match="1 to 1,024"):
        pack(some_images(count))


@pytest.mark.parametrize(
    ("count", "size"),
    [
        (1, 64),
        (60_000, 64),
        (131_072, 64),
        (131_073, 128),
        (600_000, 512),
        (12_000_000, 1_024),
        (10**9, 1_024),
    ],
)
def test_blocks_of_many_images_hold_more_of_them(count: int, size: int) -> None:
    assert images_per_block(count) == size


def test_the_largest_block_of_noise_fits_into_a_message_of_kafkas() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1_024, 784), np.uint8)
    assert len(pack(Images(noise, np.zeros(1_024, np.uint8)))) < 1_000_000


def test_images_that_lie_apart_in_memory_are_packed_in_their_order() -> None:
    images = some_images(20)
    every_other = Images(images.pixels[::2], images.labels[::2])
    assert_same(unpack(pack(every_other)), every_other)


@pytest.mark.parametrize("sizes", [[], [1], [64], [65], [10, 20, 34], [100, 0, 28, 200], [1000]])
@pytest.mark.parametrize("size", [64, 256])
def test_chunks_of_any_size_become_blocks_of_one_size_in_the_same_order(sizes: list[int], size: int) -> None:
    chunks = [some_images(size, seed) for seed, size in enumerate(sizes)]
    unpacked = [unpack(block) for block in blocks(iter(chunks), size)]
    assert all(len(images) == size for images in unpacked[:-1])
    assert sum(map(len, unpacked)) == sum(sizes)
    if sizes:
        joined = np.concatenate([images.pixels for images in unpacked])
        np.testing.assert_array_equal(joined, np.concatenate([chunk.pixels for chunk in chunks]))


def test_a_block_with_any_byte_changed_is_corrupt() -> None:
    images = some_images(2)
    block = pack(images)
    for place in range(len(block)):
        damaged = block[:place] + bytes([block[place] ^ 0xFF]) + block[place + 1 :]
        with pytest.raises(Corrupt):
            unpack(damaged)


def test_a_block_cut_anywhere_is_corrupt() -> None:
    block = pack(some_images(2))
    for length in range(len(block)):
        with pytest.raises(Corrupt):
            unpack(block[:length])


def test_a_block_with_something_behind_it_is_corrupt() -> None:
    with pytest.raises(Corrupt):
        unpack(pack(some_images(2)) + b"more")


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"not zstandard",
        zstandard.ZstdCompressor().compress(b"not a message"),
        zstandard.ZstdCompressor().compress(bytes(1 << 24)),
        zstandard.ZstdCompressor(write_content_size=False).compress(bytes(1 << 24)),
        message(0, 0, b""),
        message(-1, 784, b"\1"),
        message(2, 784, b"\1"),
        message(1, 783, b"\1"),
        message(1, 784, b"\1\1"),
        message(1, 784, b"\12"),
        message(1_025, 1_025 * 784, bytes(1_025)),
    ],
    ids=range(12),
)
def test_what_pack_never_wrote_is_corrupt(block: bytes) -> None:
    with pytest.raises(Corrupt):
        unpack(block)
