"""The network for serving, as an ONNX graph written straight from a training's state.

tf2onnx would trace the Keras model, which takes seconds and TensorFlow; this takes milliseconds and neither.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper
from onnx.onnx_ml_pb2 import ModelProto, NodeProto

from digits.pixels import CLASSES
from digits.training.architecture import NORM_EPSILON, OUTPUTS, feature_side, prefix
from digits.training.recipes import Convolution, Layers, Recipe

# Old enough for every runtime of the last years, new enough for all that is used here.
OPSET = 17
IR_VERSION = 8

Constants = dict[str, np.ndarray]


def to_onnx(recipe: Recipe, state: Mapping[str, np.ndarray]) -> bytes:
    """Returns a serialized model: "pixels" uint8 [N, 784] → "probabilities" float32 [N, 10].

    Batch-norm and the scaling of pixels to 0…1 are folded into the convolutions. A ReLU stands before
    its pooling; Keras has it after: both orders give the same, and runtimes fuse this one.
    """
    constants: Constants = {
        "image_shape": np.array([-1, 1, 28, 28], np.int64),
        "first": np.array([0], np.int64),
        "digits_end": np.array([CLASSES], np.int64),
        "all_end": np.array([OUTPUTS], np.int64),
        "classes_axis": np.array([1], np.int64),
    }
    nodes = [
        helper.make_node("Cast", ["pixels"], ["ink"], to=TensorProto.FLOAT),
        helper.make_node("Reshape", ["ink", "image_shape"], ["image"]),
    ]
    for branch, layers in enumerate(recipe.branches):
        name = prefix(branch)
        for number, layer in enumerate(layers, start=1):
            constants |= _folded(state, name, number)
            nodes += _layer(name, number, layer)
        nodes.append(helper.make_node("Flatten", [f"{name}pooled{len(layers)}"], [f"{name}features"]))
    constants |= _dense(recipe, state)
    every = [f"{prefix(branch)}features" for branch in range(len(recipe.branches))]
    nodes += [
        helper.make_node("Concat", every, ["all_features"], axis=1),
        helper.make_node("Gemm", ["all_features", "dense/kernel", "dense/bias"], ["logits"]),
        helper.make_node("Slice", ["logits", "first", "digits_end", "classes_axis"], ["digit_logits"]),
        helper.make_node("Softmax", ["digit_logits"], ["probabilities"], axis=1),
        helper.make_node("Softmax", ["logits"], ["shares"], axis=1),
        helper.make_node("Slice", ["shares", "digits_end", "all_end", "classes_axis"], ["not_a_digit"]),
    ]
    return _model(recipe, nodes, constants).SerializeToString()


def _layer(name: str, number: int, layer: Convolution) -> list[NodeProto]:
    before = f"{name}pooled{number - 1}" if number > 1 else "image"
    convolved, active, pooled = (f"{name}{what}{number}" for what in ("convolved", "active", "pooled"))
    inputs = [before, f"{name}conv{number}/kernel", f"{name}conv{number}/bias"]
    nodes = [
        helper.make_node("Conv", inputs, [convolved], pads=[layer.size // 2 if layer.padded else 0] * 4),
        helper.make_node("Relu", [convolved], [active if layer.pooled else pooled]),
    ]
    if layer.pooled:
        pooling = helper.make_node("MaxPool", [active], [pooled], kernel_shape=[2, 2], strides=[2, 2])
        nodes.append(pooling)
    return nodes


def _folded(state: Mapping[str, np.ndarray], name: str, number: int) -> Constants:
    norm, conv = f"{name}norm{number}", f"{name}conv{number}"
    scale = 1 / np.sqrt(state[f"{norm}/moving_variance"].astype(np.float64) + NORM_EPSILON)
    bias = state[f"{norm}/beta"] - state[f"{norm}/moving_mean"] * scale
    kernel = state[f"{conv}/kernel"] * scale / (255 if number == 1 else 1)
    return {
        # Keras holds height, width, in, out; ONNX holds out, in, height, width.
        f"{conv}/kernel": kernel.transpose(3, 2, 0, 1).astype(np.float32),
        f"{conv}/bias": bias.astype(np.float32),
    }


def _dense(recipe: Recipe, state: Mapping[str, np.ndarray]) -> Constants:
    """One layer over the features of all branches, whose logits are the mean of theirs."""
    names = [prefix(branch) for branch in range(len(recipe.branches))]
    rows = [
        _rows(state[f"{name}dense/kernel"], layers)
        for name, layers in zip(names, recipe.branches, strict=True)
    ]
    bias = np.mean([state[f"{name}dense/bias"] for name in names], axis=0)
    bias[CLASSES:] -= recipe.no_digit_offset
    scale = recipe.temperature * len(names)
    return {
        "dense/kernel": (np.concatenate(rows) / scale).astype(np.float32),
        "dense/bias": (bias / recipe.temperature).astype(np.float32),
    }


def _rows(kernel: np.ndarray, layers: Layers) -> np.ndarray:
    # Features come as channel, row, column here, as row, column, channel in Keras.
    side = feature_side(layers)
    shaped = kernel.reshape(side, side, layers[-1].channels, OUTPUTS)
    return shaped.transpose(2, 0, 1, 3).reshape(-1, OUTPUTS)


def _model(recipe: Recipe, nodes: list[NodeProto], constants: Constants) -> ModelProto:
    graph = helper.make_graph(
        nodes,
        recipe.name,
        [helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["N", 784])],
        [
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", CLASSES]),
            helper.make_tensor_value_info("not_a_digit", TensorProto.FLOAT, ["N", 1]),
        ],
        [numpy_helper.from_array(np.ascontiguousarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(
        graph,
        producer_name="digitservice",
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    checker.check_model(model)
    return model
