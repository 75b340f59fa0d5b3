"""Labelled pictures for tests."""

from __future__ import annotations

from digits.v1.feedback_pb2 import LabelledImage


def labelled(
    prediction_id: str, label: int = 5, digit: int = 5, version: str = "v1", caller: str = "ann"
) -> LabelledImage:
    """A picture that is nothing but its id's letters."""
    return LabelledImage(
        prediction_id=prediction_id,
        pixels=prediction_id.encode().ljust(784, b"\0"),
        label=label,
        digit=digit,
        model_version=version,
        caller=caller,
    )
