"""Named float32 tensors as protobuf: weights, statistics and optimizer state."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np

from digits.errors import Corrupt
from digits.v1 import artifacts_pb2 as pb

State = dict[str, np.ndarray]

# Far above any network here (45,000 parameters): a damaged shape fails before it allocates.
MAX_VALUES = 1 << 28
MAX_DIMENSIONS = 8


def to_proto(state: Mapping[str, np.ndarray]) -> list[pb.Tensor]:
    """Writes each tensor (any shape, float32) under its name, in the mapping's order."""
    return [
        pb.Tensor(name=name, shape=tensor.shape, float32_values=tensor.astype("<f4").tobytes())
        for name, tensor in state.items()
    ]


def from_proto(messages: Iterable[pb.Tensor]) -> State:
    """Reads the tensors back as float32 arrays of their own memory.

    Raises Corrupt for a name that comes twice, a shape that is no shape, a length that does not fit
    the shape, and for NaN or infinity.
    """
    state: State = {}
    for message in messages:
        if message.name in state:
            raise Corrupt(f"tensor {message.name!r} comes twice")
        state[message.name] = _tensor(message)
    return state


def _tensor(message: pb.Tensor) -> np.ndarray:
    shape = tuple(message.shape)
    if len(shape) > MAX_DIMENSIONS or any(length < 0 for length in shape) or math.prod(shape) > MAX_VALUES:
        raise Corrupt(f"tensor {message.name!r} has the shape {shape}")
    expected = 4 * math.prod(shape)
    if len(message.float32_values) != expected:
        found = len(message.float32_values)
        raise Corrupt(f"tensor {message.name!r} of shape {shape} has {found} bytes instead of {expected}")
    values = np.frombuffer(message.float32_values, "<f4").astype(np.float32).reshape(shape)
    if not np.isfinite(values).all():
        raise Corrupt(f"tensor {message.name!r} holds NaN or infinity")
    return values
