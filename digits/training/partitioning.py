"""Into how many partitions a training is split."""

from __future__ import annotations

# TensorFlow in a Python worker takes about 600 MB, its batches and Arrow buffers a little more.
WORKER_BYTES = 1 << 30
# One epoch of `fast` over MNIST: 99.2 % in two partitions, 99.06 % in three or four, 98.9 % in eight.
MIN_IMAGES = 15_000


def partition_count(cores: int, images: int, memory_bytes: int) -> int:
    """How many partitions the log of a batch of `images` gets, at least 1; each trains on one core.

    More partitions train more images a second, one core each. Against that: every partition takes
    the memory of one more TensorFlow, and since their states are averaged, all of them together make only
    as many steps of learning as *one* of them makes. Smaller batches make up for a part of that
    (Recipe.partition_batch_size), not for all, so few images stay together even if cores are free.
    """
    return max(1, min(cores, images // MIN_IMAGES, memory_bytes // WORKER_BYTES))
