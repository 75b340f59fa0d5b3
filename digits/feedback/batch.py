"""Labelled pictures as a batch: "feedback" by itself, or "PATH+feedback" together with another."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from digits import envelope
from digits.datasets.dataset import Dataset, of_images
from digits.datasets.shards import Images
from digits.errors import InvalidInput
from digits.feedback.labels import callers
from digits.pixels import PIXELS_PER_IMAGE
from digits.v1 import feedback_pb2

NAME = "feedback"
FIELD = "images_batch_path"


def base_of(path: str) -> str | None:
    """The batch that the labelled pictures are added to, "" for these alone; None for a path without them."""
    base, plus, name = path.rpartition("+")
    if name != NAME or (plus and not base):
        return None
    return base


def meant(path: str) -> str:
    """The right form of a path that has "feedback" in a wrong place, twice or in capitals; else empty."""
    parts = [part.strip() for part in re.split("[+,]", path)]
    others = [part for part in parts if part and part.lower() != NAME]
    if len(others) == len(list(filter(None, parts))):
        return ""
    right = f"{others[0]}+{NAME}" if others else NAME
    return right if right != path else ""


def way_out(path: str) -> str:
    """What may help a network that learned from this batch and reads others worse; "" if not known."""
    if path != NAME:
        return ""
    return f'by "{NAME}" alone it forgets what it is not shown: train on "mnist.npz+{NAME}"'


def snapshot(images: Sequence[feedback_pb2.LabelledImage]) -> bytes:
    """The pictures as a job keeps them, so that each of its attempts learns from the same ones.

    Raises InvalidInput if there are none.
    """
    if not images:
        raise InvalidInput(FIELD, f'"{NAME}" holds nothing yet: nobody has labelled a picture')
    return envelope.seal(feedback_pb2.LabelledImages(images=images))


def labelled(data: bytes) -> Dataset:
    """The dataset of a snapshot; its notes say whose pictures they are. Raises Corrupt."""
    images = envelope.unseal(data, feedback_pb2.LabelledImages).images
    pixels = np.frombuffer(b"".join(image.pixels for image in images), np.uint8)
    labels = np.array([image.label for image in images], np.uint8)
    note = f"{NAME}: {len(images):,} pictures that people labelled ({callers(images)})"
    return of_images(Images(pixels.reshape(-1, PIXELS_PER_IMAGE), labels), NAME, FIELD, [note])


def joined(base: Dataset, added: Dataset) -> Dataset:
    """Both: of each, some to train on and some held out."""
    return replace(
        base,
        train_subsets=[*base.train_subsets, *added.train_subsets],
        held_out_subsets=[*base.held_out_subsets, *added.held_out_subsets],
        notes=[*base.notes, *added.notes],
    )


def check(dataset: Dataset) -> Dataset:
    """The dataset, if there is enough in it to train on; raises InvalidInput."""
    labels = [part.shard.labels[part.chosen] for part in dataset.train_subsets]
    if len(np.unique(np.concatenate(labels))) < 2:
        raise InvalidInput(FIELD, f'at least two digits are needed: send "mnist.npz+{NAME}", or label more')
    return dataset
