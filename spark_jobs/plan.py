"""How a batch is cut into partitions, blocks and micro-batches."""

from __future__ import annotations

from dataclasses import dataclass

from digits.training.blocks import IMAGES_PER_BLOCK
from digits.training.recipes import Recipe

# Beyond so many no accuracy is gained, and each costs 0.4 s beside its training (docs/scaling.md).
_ROUNDS_OF_MANY = 8
# What recipes say of a partition's images is for so many seconds; those of 20 take a worker 0.2 GB.
_SECONDS_OF_RECIPES = 5.0
_MAX_SECONDS = 20.0
# Two networks averaged once, at the end, are worse than either: 89 % after 12,000 images.
_MIN_ROUNDS = 4
# Fewer than a hundred images are known by heart after so many passes.
_MAX_PASSES = 120


@dataclass(frozen=True)
class Plan:
    """The sizes of one training: a recipe over `train_count` images in `partitions` partitions."""

    recipe: Recipe
    train_count: int
    partitions: int
    continued: bool = False
    """Whether it goes on from a trained network."""
    images_per_block: int = IMAGES_PER_BLOCK
    blocks_of_shards: int = 0
    """Blocks in an epoch if each shard has its own, the last of them perhaps a small one; else 0."""
    target_seconds: float = _SECONDS_OF_RECIPES
    """How long a micro-batch of very many images should take."""

    @property
    def total_blocks(self) -> int:
        """Blocks in an epoch."""
        return self.blocks_of_shards or -(-self.train_count // self.images_per_block)

    @property
    def passes(self) -> int:
        """How often a micro-batch trains each of its images; more than once only if it holds all of them.

        A pass inside a micro-batch costs nothing beside the training; an epoch costs a query over the log.
        """
        wanted = -(-self._images_to_see // (self.train_count * self.recipe.epochs))
        return max(1, min(wanted, self.recipe.micro_batch_images // self.train_count))

    @property
    def epochs(self) -> int:
        """How often the log is read: the recipe's epochs, or more if its images are few."""
        return max(self.recipe.epochs, -(-self._images_to_see // (self.train_count * self.passes)))

    @property
    def total_images(self) -> int:
        """Images trained in all passes of all epochs together."""
        return self.train_count * self.passes * self.epochs

    @property
    def remark(self) -> str:
        """How often few images are passed over; empty if that is as often as many are."""
        times = self.passes * self.epochs
        if times == self.recipe.epochs:
            return ""
        return f"few images: each of the {self.train_count:,} to train on is passed over {times} times"

    @property
    def max_blocks(self) -> int:
        """Blocks in a micro-batch at most, cut so that an epoch has no small rest.

        What the recipe says; twice as many if each partition trains them in half of its time; and of many
        images more: a round costs time, and a kill what is in one. Each partition gives as many, since
        Kafka's source rounds each one's share down.
        """
        if self.passes > 1:
            return -(-self.total_blocks // self.partitions) * self.partitions
        seconds = min(self.target_seconds, _MAX_SECONDS) / _SECONDS_OF_RECIPES
        largest = int(self.recipe.max_partition_images * seconds) * self.partitions
        many = max(_ROUNDS_OF_MANY, self._rounds(largest))
        said = self.recipe.micro_batch_images
        usual = max(said, min(2 * said, largest // 2))
        # More partitions need more rounds: of MNIST, four reach 99.09 % in two rounds and 99.16 % in four;
        # two reach the same in both (docs/scaling.md).
        min_rounds = _MIN_ROUNDS if usual == said else min(self.partitions, _ROUNDS_OF_MANY)
        rounds = max(min_rounds, min(self._rounds(usual), many))
        return -(-self.total_blocks // (rounds * self.partitions)) * self.partitions

    def images(self, block_count: int) -> int:
        """Images in so many blocks of an epoch."""
        return min(block_count * self.images_per_block, self.train_count)

    def _rounds(self, images: int) -> int:
        """Micro-batches of so many images in an epoch."""
        return -(-self.total_blocks // max(1, images // self.images_per_block))

    @property
    def _images_to_see(self) -> int:
        return min(self.recipe.min_images_seen, _MAX_PASSES * self.train_count)
