"""A published version as what a training begins with."""

from __future__ import annotations

from digits import envelope
from digits.errors import InvalidInput
from digits.models import bundle
from digits.models.registry import Registry
from digits.ports import ArtifactStore
from digits.training import architecture, tensors
from digits.training.recipes import Recipe
from digits.training.tensors import State
from digits.v1 import artifacts_pb2


def base_state(registry: Registry, store: ArtifactStore, version: str, recipe: Recipe) -> State:
    """The version's weights and statistics with Adam's moments; new moments if its release kept none.

    Raises NotFound, Corrupt, StoreUnavailable, and InvalidInput for a network of another shape.
    """
    data = bundle.fetch(store, registry.get(version))
    kept = envelope.unseal(data, artifacts_pb2.ModelBundle)
    new = architecture.initial_state(recipe, seed=0)
    state = new | tensors.from_proto(kept.weights) | tensors.from_proto(kept.moments)
    if {name: tensor.shape for name, tensor in state.items()} != {
        n: tensor.shape for n, tensor in new.items()
    }:
        problem = f"{version} is a network of another release's {recipe.name!r}: train a new one"
        raise InvalidInput("base_model_version", problem)
    return state
