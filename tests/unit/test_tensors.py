from __future__ import annotations

import numpy as np
import pytest

from digits.errors import Corrupt
from digits.training import tensors
from digits.v1 import artifacts_pb2 as pb


def values(*numbers: float) -> bytes:
    return np.array(numbers, "<f4").tobytes()


def test_tensors_come_back_as_they_went() -> None:
    state = {
        "kernel": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
        "scalar": np.array(1.5, np.float32),
        "empty": np.zeros((0, 3), np.float32),
    }
    back = tensors.from_proto(tensors.to_proto(state))
    assert list(back) == list(state)
    for name, tensor in state.items():
        assert back[name].dtype == np.float32
        assert back[name].shape == tensor.shape
        np.testing.assert_array_equal(back[name], tensor)


def test_rows_that_are_not_contiguous_are_written_in_row_major_order() -> None:
    transposed = np.arange(6, dtype=np.float32).reshape(2, 3).T
    back = tensors.from_proto(tensors.to_proto({"t": transposed}))
    np.testing.assert_array_equal(back["t"], transposed)


def test_what_was_read_can_be_written_to() -> None:
    back = tensors.from_proto(tensors.to_proto({"t": np.zeros(2, np.float32)}))
    back["t"][0] = 1


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        (pb.Tensor(name="w", shape=[3], float32_values=values(1, 2)), "8 bytes instead of 12"),
        (pb.Tensor(name="w", shape=[], float32_values=b""), "0 bytes instead of 4"),
        (pb.Tensor(name="w", shape=[2], float32_values=values(1, 2)[:-1]), "7 bytes instead of 8"),
        (pb.Tensor(name="w", shape=[-1], float32_values=values(1)), "shape"),
        (pb.Tensor(name="w", shape=[-1, -1], float32_values=values(1)), "shape"),
        (pb.Tensor(name="w", shape=[1] * 100, float32_values=values(1)), "shape"),
        (pb.Tensor(name="w", shape=[1 << 40, 1 << 40], float32_values=values(1)), "shape"),
        (pb.Tensor(name="w", shape=[1], float32_values=values(float("nan"))), "NaN"),
        (pb.Tensor(name="w", shape=[1], float32_values=values(float("-inf"))), "infinity"),
    ],
)
def test_a_damaged_tensor_is_refused(message: pb.Tensor, problem: str) -> None:
    with pytest.raises(Corrupt, match=problem):
        tensors.from_proto([message])


def test_a_name_that_comes_twice_is_refused() -> None:
    message = pb.Tensor(name="w", shape=[1], float32_values=values(1))
    with pytest.raises(Corrupt, match="twice"):
        tensors.from_proto([message, message])
