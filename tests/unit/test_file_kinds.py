"""A file of the wrong kind is named, with the way out."""

from __future__ import annotations

import base64
import gzip

import pytest

from digits.errors import InvalidInput
from digits.file_kinds import kind_of
from digits.imaging.candidates import candidates
from tests.wrong_files import WRONG_PICTURES

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x1c\0\0\0\x1c\x08\0\0\0\0"


@pytest.mark.parametrize("name", WRONG_PICTURES)
def test_a_picture_of_a_kind_that_is_not_read_is_named_with_the_way_out(name: str) -> None:
    data, kind, way_out = WRONG_PICTURES[name]
    with pytest.raises(InvalidInput) as caught:
        candidates(data, 1 << 20, "image")
    assert f"is not a readable picture, but {kind}" in caught.value.problem
    assert way_out in caught.value.problem


@pytest.mark.parametrize(
    "data", [b"n5.png", b"mnist.npz", b"Qkbest/of/all.png", b"abc", b"\0" * 400, b"5\n" * 50]
)
def test_what_is_nothing_special_has_no_name(data: bytes) -> None:
    assert kind_of(data) is None


@pytest.mark.parametrize(
    "data",
    [PNG, gzip.compress(PNG), b"\xff\xd8\xff" + PNG, b"PK\3\4" + PNG],
    ids=["PNG", "gzip", "JPEG", "zip"],
)
def test_a_file_in_base64_is_known_by_its_start(data: bytes) -> None:
    assert str(kind_of(base64.b64encode(data))).startswith("base64 as text")
