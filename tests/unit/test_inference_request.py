"""The inference protocol refuses what it would ignore, and names the field."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from digits.errors import InvalidInput
from digits.inference import inference_pb2 as pb
from server.inference_request import pixels_of
from tests.plain_pixels import SOME_PIXELS


def asked(raw: bool = True) -> pb.ModelInferRequest:
    tensor = pb.ModelInferRequest.InferInputTensor(name="pixels", datatype="UINT8", shape=[1, 784])
    request = pb.ModelInferRequest(model_name="digits", inputs=[tensor])
    if raw:
        request.raw_input_contents.append(SOME_PIXELS)
    else:
        request.inputs[0].contents.uint_contents.extend(SOME_PIXELS)
    return request


@pytest.mark.parametrize("raw", [True, False])
def test_pixels_come_raw_or_listed(raw: bool) -> None:
    assert pixels_of(asked(raw)).tobytes() == SOME_PIXELS


def both(request: pb.ModelInferRequest) -> None:
    request.inputs[0].contents.uint_contents.append(1)


def second_raw(request: pb.ModelInferRequest) -> None:
    request.raw_input_contents.append(b"")


def other_output(request: pb.ModelInferRequest) -> None:
    request.outputs.add(name="probabilities")
    request.outputs.add(name="logits")


def output_twice(request: pb.ModelInferRequest) -> None:
    request.outputs.add(name="probabilities")
    request.outputs.add(name="probabilities")


def parameter(request: pb.ModelInferRequest) -> None:
    request.parameters["priority"].int64_param = 1


def parameter_of_input(request: pb.ModelInferRequest) -> None:
    request.inputs[0].parameters["shared_memory_region"].string_param = "a"


def parameter_of_output(request: pb.ModelInferRequest) -> None:
    request.outputs.add(name="probabilities").parameters["classification"].int64_param = 3


def floats(request: pb.ModelInferRequest) -> None:
    del request.raw_input_contents[:]
    request.inputs[0].contents.fp32_contents.append(0.5)


def too_large(request: pb.ModelInferRequest) -> None:
    del request.raw_input_contents[:]
    request.inputs[0].contents.uint_contents.extend([256] * 784)


def too_few(request: pb.ModelInferRequest) -> None:
    request.raw_input_contents[0] = b"1"


def nothing(request: pb.ModelInferRequest) -> None:
    del request.raw_input_contents[:]


REFUSED: list[tuple[Callable[[pb.ModelInferRequest], None], str, str]] = [
    (both, "inputs[0].contents.uint_contents", "raw_input_contents holds the values too: send one"),
    (second_raw, "raw_input_contents", "one tensor for the one input, not 2"),
    (other_output, "outputs[1].name", "\"probabilities\" is the only one, not 'logits'"),
    (output_twice, "outputs", '"probabilities" once'),
    (parameter, "parameters", "none are known, and 'priority' would be ignored: leave it out"),
    (parameter_of_input, "inputs[0].parameters", "none are known, and 'shared_memory_region' would"),
    (parameter_of_output, "outputs[0].parameters", "none are known, and 'classification' would"),
    (floats, "inputs[0].contents.fp32_contents", "UINT8 values go into uint_contents"),
    (too_large, "inputs[0].contents.uint_contents", "whole numbers from 0 to 255"),
    (too_few, "raw_input_contents[0]", "784 bytes, as the shape says, not 1"),
    (nothing, "inputs[0].contents.uint_contents", "784 numbers, as the shape says, not 0"),
]


@pytest.mark.parametrize(
    ("change", "field", "problem"), REFUSED, ids=[change.__name__ for change, _, _ in REFUSED]
)
def test_what_would_be_ignored_is_refused_by_its_name(
    change: Callable[[pb.ModelInferRequest], None], field: str, problem: str
) -> None:
    request = asked()
    change(request)
    with pytest.raises(InvalidInput) as refused:
        pixels_of(request)
    assert refused.value.field == field
    assert refused.value.problem.startswith(problem)


def long_type(request: pb.ModelInferRequest) -> None:
    request.inputs[0].datatype = "x" * 1_000_000


def long_shape(request: pb.ModelInferRequest) -> None:
    request.inputs[0].shape.extend([1] * 100_000)


def long_output(request: pb.ModelInferRequest) -> None:
    request.outputs.add(name="x" * 1_000_000)


@pytest.mark.parametrize("make_long", [long_type, long_shape, long_output])
def test_what_is_refused_is_not_said_again_at_any_length(
    make_long: Callable[[pb.ModelInferRequest], None],
) -> None:
    request = asked()
    make_long(request)
    with pytest.raises(InvalidInput) as refused:
        pixels_of(request)
    assert len(str(refused.value)) < 200
