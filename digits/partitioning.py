"""Into how many partitions a training is split."""

from __future__ import annotations

# TensorFlow in a Python worker takes about 600 MB, its batches and Arrow buffers a little more.
WORKER_BYTES = 1 << 30
# Two dozen steps of 128 images between two averagings. Below, a partition's statistics are noise, and the
# fixed cost of a round (0.3 s) outweighs what one more core saves.
LEAST_IMAGES = 3_000


def partition_count(cores: int, images: int, memory_bytes: int) -> int:
    """How many partitions the log of a batch of `images` gets, at least 1; each trains on one core.

    More partitions train more images a second, one core each. Against that: every partition takes
    the memory of one more TensorFlow, and all of them together make as many steps of learning as *one*
    of them makes, since their states are averaged. With twice the partitions a model gets half the steps,
    so small micro-batches stay together even where cores are free.
    """
    return max(1, min(cores, images // LEAST_IMAGES, memory_bytes // WORKER_BYTES))
