"""What people type for an address."""

from __future__ import annotations

import pytest

from digits.client.address import target


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("127.0.0.1:50051", ("127.0.0.1:50051", False)),
        ("http://127.0.0.1:7000", ("127.0.0.1:7000", False)),
        ("http://localhost:7000/digits?x=1", ("localhost:7000", False)),
        ("HTTPS://digits.example", ("digits.example:50051", True)),
        ("grpcs://digits.example:443", ("digits.example:443", True)),
        ("localhost", ("localhost:50051", False)),
        (" localhost:7000/ ", ("localhost:7000", False)),
        ("http://[::1]", ("[::1]:50051", False)),
        ("[::1]:7000", ("[::1]:7000", False)),
    ],
)
def test_an_address_is_taken_as_people_type_it(typed: str, meant: tuple[str, bool]) -> None:
    assert target(typed) == meant


@pytest.mark.parametrize(
    "own", ["dns:///digits.example", "unix:/run/digits", "ipv4:127.0.0.1:1,127.0.0.1:2", "a:1,b:2"]
)
def test_grpcs_own_forms_stay_as_they_are(own: str) -> None:
    assert target(own) == (own, False)
