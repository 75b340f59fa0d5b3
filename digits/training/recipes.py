"""How a training goes: every number of it, in one place."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from digits.errors import InvalidInput

# Batch-norm's statistics over fewer pictures are noise, and TensorFlow slows down.
MIN_BATCH = 32
# Of few images, batches shrink until each partition makes so many steps: batch-norm's statistics and the
# learning rate settle in no fewer. 500 images: 24 % in 4 steps, 96 % in 200 or more.
MIN_STEPS = 200

# Of the peak, at the start of a training that goes on: enough to learn, too little to forget much.
CONTINUED_SHARE = 0.1


@dataclass(frozen=True)
class Augmentation:
    """Random affine changes to each picture, drawn evenly from ± these limits."""

    rotation_degrees: float
    scale: float  # As a share of the picture's size.
    shear: float  # Pixels across for each pixel down.
    shift_pixels: float


@dataclass(frozen=True)
class Convolution:
    """A layer: square kernels, batch-norm, ReLU; `pooled` halves the picture's sides, `padded` keeps them."""

    channels: int
    size: int
    pooled: bool = False
    padded: bool = False


Layers = tuple[Convolution, ...]

# 57,914 weights and statistics. The second convolution takes most of the time, so what comes into it is
# narrow and what follows, on few pixels, is wide: as accurate as (24, 48, 64) and 18 % faster.
SMALL = (Convolution(16, 5, pooled=True), Convolution(48, 3, pooled=True), Convolution(96, 3))


def _deep(kernel: int, last: int) -> Layers:
    """Five layers; the picture is first read through kernels of that size, last by so many channels."""
    return (
        Convolution(24, kernel, pooled=True),
        Convolution(48, 3, padded=True),
        Convolution(48, 3, pooled=True),
        Convolution(last, 3, padded=True),
        Convolution(last, 3),
    )


# Wide where few pixels are left and a channel costs least: 112 in place of 96 take 7 % more time.
DEEP = _deep(5, 112)
# Three views of the picture: through large, small and very large first kernels.
VIEWS = (_deep(5, 96), _deep(3, 96), _deep(7, 96))


@dataclass(frozen=True)
class Schedule:
    """Each batch's learning rate, and the share of its pictures that are redrawn: float32 (batches,)."""

    learning_rates: np.ndarray
    redrawn_shares: np.ndarray


@dataclass(frozen=True)
class Recipe:
    """The network's size and how it is trained; hashable, since compiled steps are kept by recipe."""

    name: str
    epochs: int
    # A batch of fewer images is gone through again and again until so many were seen (spark_jobs/plan.py).
    min_images_seen: int
    batch_size: int
    # Each reads the picture by itself; the network's logits are their mean.
    branches: tuple[Layers, ...]
    peak_learning_rate: float
    warm_up: float
    first_moment_decay: float
    second_moment_decay: float
    statistics_momentum: float
    label_smoothing: float
    augmentation: Augmentation | None
    # Share of the pictures whose pen, focus, tone and grain change: at first, and at the end of the training.
    redrawn_share: float
    last_redrawn_share: float
    # Pictures of no digit for each digit.
    non_digit_share: float
    # Taken off the logit of "no digit", so that 1 % of the digits are said to be none and no more pictures of
    # none are missed than must be (docs/training.md); below 0, since such pictures are rare in training.
    no_digit_offset: float
    # What logits are divided by, fitted on the validation split.
    temperature: float
    micro_batch_images: int
    # Of each partition in a micro-batch of five seconds, if the images are very many.
    max_partition_images: int

    def partition_batch_size(self, partition_count: int, images_total: int) -> int:
        """Images in each partition's batches, if that many partitions train `images_total` side by side.

        Beyond two partitions batches shrink, so that each goes on making as many steps: eight partitions
        reach 98.9 % with batches of 32 in one epoch of MNIST, and 97.8 % with 128.
        """
        partitions = max(1, partition_count)
        wanted = min(2 * self.batch_size // partitions, images_total // (partitions * MIN_STEPS))
        return min(self.batch_size, max(MIN_BATCH, wanted))

    def schedule(self, progress: np.ndarray, continued: bool = False) -> Schedule:
        """What each batch is trained with, by the share of the training that is done, (batches,).

        `continued` if the training goes on from a trained network.
        """
        rates = self.continued_rates(progress) if continued else self.learning_rates(progress)
        return Schedule(rates, self.redrawn_shares(progress))

    def learning_rates(self, progress: np.ndarray) -> np.ndarray:
        """The one-cycle schedule (arXiv 1708.07120): rises along a line over `warm_up`, then falls to 0.

        `progress` is the share of the training that is done, of any shape, 0 to 1; returns float32.
        """
        rise = progress / self.warm_up
        fall = (1 - progress) / (1 - self.warm_up)
        return (self.peak_learning_rate * np.clip(np.minimum(rise, fall), 0, 1)).astype(np.float32)

    def continued_rates(self, progress: np.ndarray) -> np.ndarray:
        """Learning rates from a trained network on, float32: they fall to 0 from a tenth of the peak."""
        start = CONTINUED_SHARE * self.peak_learning_rate
        return np.asarray(start * np.clip(1 - progress, 0, 1), np.float32)

    def redrawn_shares(self, progress: np.ndarray) -> np.ndarray:
        """Share of the pictures that are redrawn, by the `progress` of `learning_rates`; float32."""
        change = self.last_redrawn_share - self.redrawn_share
        return np.asarray(self.redrawn_share + change * np.clip(progress, 0, 1), np.float32)


FAST = Recipe(
    name="fast",
    epochs=1,
    # See docs/decisions/images-seen-not-passes.md for what more and fewer reach.
    min_images_seen=12_000,
    # Small enough that each of two partitions makes 234 steps in one epoch over MNIST.
    batch_size=128,
    branches=(SMALL,),
    # Adam stands ten times its usual rate here, because batch-norm follows each convolution.
    peak_learning_rate=0.01,
    # 0.2 and 0.3 of one epoch leave too little of it for the low rates: 0.04 % and 0.1 % less accurate.
    warm_up=0.1,
    # Below the usual 0.9 and 0.999: a run has a few hundred steps, and moments must forget the first ones.
    first_moment_decay=0.8,
    second_moment_decay=0.95,
    # The statistics must settle within the few steps that are left once the learning rate is low.
    statistics_momentum=0.9,
    # 0.1 % more accurate than none; twice as much gains no more and makes right answers look unsure.
    label_smoothing=0.05,
    augmentation=Augmentation(rotation_degrees=10, scale=0.1, shear=0.15, shift_pixels=1.5),
    redrawn_share=0.5,
    # Pens grow milder towards the end: 0.09 % more of MNIST's own pictures, 0.2 % fewer of the worst ones.
    last_redrawn_share=0.1,
    non_digit_share=0.2,
    no_digit_offset=-0.6,
    temperature=0.55,
    # Four rounds of averaging an epoch of MNIST, as accurate as eight; with two partitions two, of twice as
    # many images (spark_jobs/plan.py). Each round costs about 0.4 s beside training, and cancelling or
    # resuming wastes one round's training at most: about 2 s.
    micro_batch_images=15_360,
    # Five seconds of one core.
    max_partition_images=30_720,
)

STANDARD = Recipe(
    name="standard",
    epochs=5,
    min_images_seen=10_000,
    # Twice as many steps as of 128 images, in the same time.
    batch_size=64,
    branches=(DEEP,),
    # Five layers shake at the rate that suits three.
    peak_learning_rate=0.003,
    warm_up=0.2,
    first_moment_decay=0.8,
    second_moment_decay=0.95,
    statistics_momentum=0.9,
    # Keeps the network from growing sure of the few training images that are labelled wrong.
    label_smoothing=0.05,
    # About how much people's handwriting differs; more makes fours of nines.
    augmentation=Augmentation(rotation_degrees=15, scale=0.12, shear=0.2, shift_pixels=2),
    redrawn_share=0.4,
    last_redrawn_share=0.0,
    non_digit_share=0.1,
    no_digit_offset=-1.5,
    temperature=0.55,
    micro_batch_images=15_360,
    max_partition_images=7_680,
)

BEST = replace(
    STANDARD,
    name="best",
    epochs=60,
    branches=VIEWS,
)

RECIPES = {recipe.name: recipe for recipe in (FAST, STANDARD, BEST)}


def find(name: str) -> Recipe:
    """Returns the recipe of that name, `fast` for ""; raises InvalidInput that lists the names."""
    recipe = RECIPES.get(name or FAST.name)
    if recipe is None:
        raise InvalidInput("recipe", f"{name[:64]!r} is not one of: {', '.join(RECIPES)}")
    return recipe
