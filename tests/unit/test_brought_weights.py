"""A version that comes from elsewhere: its bytes may be anybody's."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from digits import envelope
from digits.errors import InvalidInput
from digits.training import architecture, brought_weights, recipes, tensors
from digits.v1 import artifacts_pb2, models_pb2

RECIPE = recipes.find("fast")


def bundle() -> artifacts_pb2.ModelBundle:
    state = architecture.weights(architecture.initial_state(RECIPE, 7))
    return artifacts_pb2.ModelBundle(
        onnx=b"not looked at",
        keras_config="nor this",
        weights=tensors.to_proto(state),
        provenance=models_pb2.Provenance(recipe="fast", data_name="mnist.npz", job_id="theirs", seed=7),
    )


def test_weights_come_in_with_their_origin_and_nothing_else() -> None:
    brought = brought_weights.read(envelope.seal(bundle()))
    assert brought.recipe is RECIPE
    wanted = architecture.weights(architecture.initial_state(RECIPE, 7))
    assert all(np.array_equal(brought.state[name], tensor) for name, tensor in wanted.items())
    assert (brought.origin.data_name, brought.origin.seed, brought.origin.job_id) == ("mnist.npz", 7, "")
    assert brought.origin.imported


def unknown_recipe(made: artifacts_pb2.ModelBundle) -> None:
    made.provenance.recipe = "huge"


def no_recipe(made: artifacts_pb2.ModelBundle) -> None:
    made.provenance.recipe = ""


def other_shape(made: artifacts_pb2.ModelBundle) -> None:
    made.weights[0].shape[:] = [*made.weights[0].shape, 1]


def missing(made: artifacts_pb2.ModelBundle) -> None:
    del made.weights[-1]


def one_more(made: artifacts_pb2.ModelBundle) -> None:
    made.weights.add(name="more", shape=[1], float32_values=b"\0" * 4)


def endless_shape(made: artifacts_pb2.ModelBundle) -> None:
    made.weights[0].shape[:] = [1 << 40, 1 << 20]


def not_a_number(made: artifacts_pb2.ModelBundle) -> None:
    made.weights[0].float32_values = b"\xff" * len(made.weights[0].float32_values)


def negative_variance(made: artifacts_pb2.ModelBundle) -> None:
    variance = next(tensor for tensor in made.weights if tensor.name == "norm1/moving_variance")
    variance.float32_values = np.full(variance.shape, -1, "<f4").tobytes()


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (unknown_recipe, "its recipe is not known here: "),
        (no_recipe, "its recipe is not known here: "),
        (other_shape, "'conv1/kernel' is (5, 5, 1, 16, 1), and fast has (5, 5, 1, 16)"),
        (missing, "'dense/bias' is missing, and fast has (11,)"),
        (one_more, "'more' is (1,), and fast has no such tensor"),
        (endless_shape, "tensor 'conv1/kernel' has the shape "),
        (not_a_number, "tensor 'conv1/kernel' holds NaN or infinity"),
        (negative_variance, "a moving_variance is below 0"),
    ],
)
def test_a_bundle_that_is_no_network_of_ours_is_refused(
    spoil: Callable[[artifacts_pb2.ModelBundle], None], problem: str
) -> None:
    made = bundle()
    spoil(made)
    with pytest.raises(InvalidInput) as refused:
        brought_weights.read(envelope.seal(made))
    assert refused.value.field == "model_bundle"
    assert refused.value.problem.startswith(problem)


SEALED = envelope.seal(bundle())


@pytest.mark.parametrize(
    "data",
    [b"", b"PK\x03\x04", SEALED[:-9], SEALED[:-1] + b"x", b"\x80\x04\x95pickle", bytes(1000)],
    ids=["empty", "a zip", "cut", "changed", "a pickle", "zeros"],
)
def test_a_file_that_is_no_bundle_is_refused_with_how_to_get_one(data: bytes) -> None:
    with pytest.raises(InvalidInput, match="give a file that `digits models export"):
        brought_weights.read(data)


def test_a_bundle_is_looked_at_only_up_to_its_largest_size() -> None:
    with pytest.raises(InvalidInput, match="16,777,217 bytes, and at most 16,777,216 are allowed"):
        brought_weights.read(bytes(brought_weights.MAX_BYTES + 1))
