"""A trained network that comes from another service: of its bundle the weights alone count.

The bytes may be anybody's. Nothing in them is run: no graph, no configuration, nothing pickled; the graph for
serving is written anew from the weights, whose names and shapes must be those of a recipe.
"""

from __future__ import annotations

from dataclasses import dataclass

from digits import envelope
from digits.errors import Corrupt, InvalidInput
from digits.training import architecture, recipes, tensors
from digits.training.recipes import Recipe
from digits.training.tensors import State
from digits.v1 import artifacts_pb2, models_pb2

# Thirty times the bundle of the largest recipe.
MAX_BYTES = 16 << 20
FIELD = "model_bundle"
NOT_USED = (
    "Adam's moments are not brought in with the weights: a training that goes on from this version begins "
    "with fresh ones"
)
_MAX_TEXT = 200


@dataclass(frozen=True)
class BroughtWeights:
    """Weights and statistics of a recipe's network, and where they say that they come from."""

    recipe: Recipe
    state: State
    origin: models_pb2.Provenance


def read(data: bytes) -> BroughtWeights:
    """Checks a sealed bundle; raises InvalidInput that names what is wrong."""
    if len(data) > MAX_BYTES:
        raise InvalidInput(FIELD, f"{len(data):,} bytes, and at most {MAX_BYTES:,} are allowed")
    try:
        bundle = envelope.unseal(data, artifacts_pb2.ModelBundle)
        state = tensors.from_proto(bundle.weights)
    except Corrupt as error:
        raise InvalidInput(
            FIELD, f"{error}; give a file that `digits models export VERSION FILE.bundle` wrote"
        ) from error
    recipe = _recipe(bundle.provenance.recipe)
    _check_shapes(state, recipe)
    return BroughtWeights(recipe, state, _origin(bundle.provenance))


def _recipe(name: str) -> Recipe:
    try:
        return recipes.find(name or "?")
    except InvalidInput as error:
        raise InvalidInput(FIELD, f"its recipe is not known here: {error.problem}") from error


def _check_shapes(state: State, recipe: Recipe) -> None:
    wanted = {
        name: tensor.shape
        for name, tensor in architecture.weights(architecture.initial_state(recipe, 0)).items()
    }
    for name in sorted(wanted.keys() | state.keys()):
        found = state[name].shape if name in state else None
        if found != wanted.get(name):
            expected = wanted.get(name, "no such tensor")
            problem = f"{name[:_MAX_TEXT]!r} is {found or 'missing'}, and {recipe.name} has {expected}"
            raise InvalidInput(FIELD, problem)
    variances = [tensor.min() for name, tensor in state.items() if name.endswith("moving_variance")]
    if min(variances) < 0:
        raise InvalidInput(FIELD, "a moving_variance is below 0")


def _origin(given: models_pb2.Provenance) -> models_pb2.Provenance:
    """What it says of itself, cut to a length that a record may have."""
    return models_pb2.Provenance(
        data_name=_text(given.data_name),
        data_sha256=_text(given.data_sha256),
        recipe=given.recipe,
        seed=given.seed,
        code_version=_text(given.code_version),
        image_count=given.image_count,
        epochs=given.epochs,
        training_seconds=given.training_seconds,
        imported=True,
    )


def _text(given: str) -> str:
    return "".join(filter(str.isprintable, given))[:_MAX_TEXT]
