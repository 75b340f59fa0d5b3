"""The network for serving, as an ONNX graph written straight from a training's state.

tf2onnx would trace the Keras model, which takes seconds and TensorFlow; this takes milliseconds and neither.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper
from onnx.onnx_ml_pb2 import ModelProto, NodeProto

from digits.pixels import CLASSES
from digits.training.architecture import NORM_EPSILON, OUTPUTS, feature_side
from digits.training.recipes import Convolution, Recipe

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
        helper.make_node("Reshape", ["ink", "image_shape"], ["pooled0"]),
    ]
    for number, layer in enumerate(recipe.layers, start=1):
        constants |= _folded(state, number)
        nodes += _layer(number, layer)
    constants |= _dense(recipe, state)
    nodes += [
        helper.make_node("Flatten", [f"pooled{len(recipe.layers)}"], ["features"]),
        helper.make_node("Gemm", ["features", "dense/kernel", "dense/bias"], ["logits"]),
        helper.make_node("Slice", ["logits", "first", "digits_end", "classes_axis"], ["digit_logits"]),
        helper.make_node("Softmax", ["digit_logits"], ["probabilities"], axis=1),
        helper.make_node("Softmax", ["logits"], ["shares"], axis=1),
        helper.make_node("Slice", ["shares", "digits_end", "all_end", "classes_axis"], ["not_a_digit"]),
    ]
    return _model(recipe, nodes, constants).SerializeToString()


def _layer(number: int, layer: Convolution) -> list[NodeProto]:
    convolved, pooled = f"convolved{number}", f"pooled{number}"
    inputs = [f"pooled{number - 1}", f"conv{number}/kernel", f"conv{number}/bias"]
    nodes = [
        helper.make_node("Conv", inputs, [convolved], pads=[layer.size // 2 if layer.padded else 0] * 4),
        helper.make_node("Relu", [convolved], [f"active{number}" if layer.pooled else pooled]),
    ]
    if layer.pooled:
        pooling = helper.make_node(
            "MaxPool", [f"active{number}"], [pooled], kernel_shape=[2, 2], strides=[2, 2]
        )
        nodes.append(pooling)
    return nodes


def _folded(state: Mapping[str, np.ndarray], number: int) -> Constants:
    norm = f"norm{number}"
    scale = 1 / np.sqrt(state[f"{norm}/moving_variance"].astype(np.float64) + NORM_EPSILON)
    bias = state[f"{norm}/beta"] - state[f"{norm}/moving_mean"] * scale
    kernel = state[f"conv{number}/kernel"] * scale / (255 if number == 1 else 1)
    return {
        # Keras holds height, width, in, out; ONNX holds out, in, height, width.
        f"conv{number}/kernel": kernel.transpose(3, 2, 0, 1).astype(np.float32),
        f"conv{number}/bias": bias.astype(np.float32),
    }


def _dense(recipe: Recipe, state: Mapping[str, np.ndarray]) -> Constants:
    # Features come as channel, row, column here, as row, column, channel in Keras.
    side = feature_side(recipe)
    kernel = state["dense/kernel"].reshape(side, side, recipe.layers[-1].channels, OUTPUTS)
    rows = kernel.transpose(2, 0, 1, 3).reshape(-1, OUTPUTS)
    bias = state["dense/bias"].copy()
    bias[CLASSES:] -= recipe.no_digit_offset
    return {
        "dense/kernel": (rows / recipe.temperature).astype(np.float32),
        "dense/bias": (bias / recipe.temperature).astype(np.float32),
    }


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
