"""A published version as what a training begins with."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from digits import envelope
from digits.adapters.memory import MemoryCoordinator, MemoryStore
from digits.errors import InvalidInput
from digits.models.registry import Registry
from digits.ports import Create
from digits.training import architecture, tensors
from digits.training.recipes import FAST, STANDARD
from digits.training.tensors import State
from digits.v1 import artifacts_pb2, models_pb2
from spark_jobs.base_model import base_state


def trained() -> State:
    """A state of which no tensor is as at the start."""
    return {name: tensor + 0.5 for name, tensor in architecture.initial_state(FAST, 1).items()}


def begun(state: State, moments: bool = True) -> State:
    """What a training begins with that goes on from this state, as it was published."""
    kept = artifacts_pb2.ModelBundle(
        version="v1",
        weights=tensors.to_proto(architecture.weights(state)),
        moments=tensors.to_proto(architecture.moments(state)) if moments else [],
    )
    data, coordinator, store = envelope.seal(kept), MemoryCoordinator(), MemoryStore()
    store.publish("models/v1.bundle", data)
    model = models_pb2.Model(version="v1", store_path="models/v1.bundle", bundle_bytes=len(data))
    model.bundle_sha256 = hashlib.sha256(data).hexdigest()
    coordinator.commit(Create("/models/v1", model.SerializeToString()))
    return base_state(Registry(coordinator), store, "v1", FAST)


def test_a_training_goes_on_with_the_weights_the_moments_and_the_steps() -> None:
    state = trained()
    went_on = begun(state)
    assert went_on.keys() == state.keys()
    assert all(np.array_equal(went_on[name], state[name]) for name in state)


def test_a_version_of_a_release_without_moments_goes_on_with_new_ones() -> None:
    state = trained()
    went_on = begun(state, moments=False)
    assert np.array_equal(went_on["dense/kernel"], state["dense/kernel"])
    assert went_on[architecture.STEPS] == 0


def test_a_network_of_another_shape_is_refused() -> None:
    with pytest.raises(InvalidInput, match="base_model_version"):
        begun(architecture.initial_state(STANDARD, 1))
