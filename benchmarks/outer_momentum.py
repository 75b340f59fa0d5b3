"""Nesterov momentum on what the partitions agree on in each round, as DiLoCo has it (arXiv 2311.08105)."""

from __future__ import annotations

import numpy as np

from digits.training import architecture
from digits.training.tensors import State


class Outer:
    """The momentum of one training."""

    def __init__(self, momentum: float, rate: float) -> None:
        self._momentum, self._rate = momentum, rate
        self._velocity: State = {}

    def step(self, before: State, merged: State) -> State:
        """Returns `merged` with its weights moved on from `before`; the rest stays as it is."""
        moved = {name: self._moved(name, before[name], merged[name]) for name in _trainable(merged)}
        return {**merged, **moved}

    def _moved(self, name: str, before: np.ndarray, merged: np.ndarray) -> np.ndarray:
        change = merged - before
        velocity = self._momentum * self._velocity.get(name, np.zeros_like(change)) + change
        self._velocity[name] = velocity
        return np.asarray(before + self._rate * (change + self._momentum * velocity), np.float32)


def _trainable(state: State) -> list[str]:
    return [name for name in architecture.weights(state) if "moving" not in name]
