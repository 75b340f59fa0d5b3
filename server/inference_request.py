"""What a ModelInferRequest asks for. What would be ignored is refused, with the field to use instead."""

from __future__ import annotations

import numpy as np

from digits.errors import InvalidInput
from digits.imaging.raw_pixels import require_pictures
from digits.inference import inference_pb2 as pb
from digits.pixels import PIXELS_PER_IMAGE

INPUT, OUTPUT = "pixels", "probabilities"
MAX_PICTURES = 1024


def pixels_of(request: pb.ModelInferRequest) -> np.ndarray:
    """The pictures, uint8 (N, 784); raises InvalidInput."""
    _check_outputs(request)
    _check_parameters(request.parameters, "parameters")
    if len(request.inputs) != 1 or request.inputs[0].name != INPUT:
        raise InvalidInput("inputs", f'exactly one, named "{INPUT}"')
    tensor = request.inputs[0]
    _check_parameters(tensor.parameters, "inputs[0].parameters")
    if tensor.datatype != "UINT8":
        raise InvalidInput("inputs[0].datatype", f"UINT8, not {tensor.datatype[:40]!r}")
    shape = list(tensor.shape[:8])
    if len(shape) != 2 or shape[1] != PIXELS_PER_IMAGE or not 0 < shape[0] <= MAX_PICTURES:
        allowed = f"[N, {PIXELS_PER_IMAGE}] with 1 to {MAX_PICTURES} pictures"
        raise InvalidInput("inputs[0].shape", f"{allowed}, not {shape}")
    pixels = _values(request).reshape(shape)
    require_pictures(pixels, "inputs[0]")
    return pixels


def _check_outputs(request: pb.ModelInferRequest) -> None:
    for number, output in enumerate(request.outputs):
        if output.name != OUTPUT:
            found = output.name[:40]
            raise InvalidInput(f"outputs[{number}].name", f'"{OUTPUT}" is the only one, not {found!r}')
        _check_parameters(output.parameters, f"outputs[{number}].parameters")
    if len(request.outputs) > 1:
        raise InvalidInput("outputs", f'"{OUTPUT}" once')


def _check_parameters(parameters: object, field: str) -> None:
    """None are known: a caller's deadline is gRPC's own, and a version is model_version."""
    if names := sorted(parameters):  # type: ignore[call-overload]
        raise InvalidInput(field, f"none are known, and {names[0][:40]!r} would be ignored: leave it out")


def _values(request: pb.ModelInferRequest) -> np.ndarray:
    """The input's bytes, from the one place that they were sent in."""
    raw, tensor = request.raw_input_contents, request.inputs[0]
    count = int(np.prod(tensor.shape))
    given = [field.name for field, _ in tensor.contents.ListFields()]
    if raw and given:
        raise InvalidInput(
            f"inputs[0].contents.{given[0]}", "raw_input_contents holds the values too: send one"
        )
    if len(raw) > 1:
        raise InvalidInput("raw_input_contents", f"one tensor for the one input, not {len(raw)}")
    if raw:
        return _whole(np.frombuffer(raw[0], np.uint8), count, "raw_input_contents[0]", "bytes")
    if others := [name for name in given if name != "uint_contents"]:
        raise InvalidInput(f"inputs[0].contents.{others[0]}", "UINT8 values go into uint_contents")
    try:
        listed = np.frombuffer(bytes(tensor.contents.uint_contents), np.uint8)
    except ValueError as error:
        raise InvalidInput("inputs[0].contents.uint_contents", "whole numbers from 0 to 255") from error
    return _whole(listed, count, "inputs[0].contents.uint_contents", "numbers")


def _whole(values: np.ndarray, count: int, field: str, what: str) -> np.ndarray:
    if len(values) != count:
        raise InvalidInput(field, f"{count} {what}, as the shape says, not {len(values)}")
    return values
