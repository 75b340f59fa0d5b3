"""Nothing is open to the network by mistake."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from digits.errors import Misconfigured
from digits.security import listener_policy
from digits.settings import Settings

CERTIFICATE = {"tls_certificate_file": "chain.pem", "tls_key_file": "key.pem"}
TOKENS = {"tokens_file": "tokens"}
ANYWHERE = "0.0.0.0"  # noqa: S104


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "[::1]", "localhost"])
def test_loopback_is_open(host: str) -> None:
    listener_policy.check(Settings(grpc_host=host), "grpc_host")


@pytest.mark.parametrize("host", [ANYWHERE, "::", "10.0.0.7", "digits.example.org", ""])
@pytest.mark.parametrize("given", [{}, CERTIFICATE, TOKENS], ids=["neither", "TLS alone", "tokens alone"])
def test_another_address_needs_tls_and_tokens(host: str, given: dict[str, Any]) -> None:
    with pytest.raises(Misconfigured, match="DIGITS_ALLOW_INSECURE=1"):
        listener_policy.check(Settings(rest_host=host, **given), "rest_host")


def test_tls_and_tokens_are_enough() -> None:
    listener_policy.check(Settings(grpc_host=ANYWHERE, **CERTIFICATE, **TOKENS), "grpc_host")


def test_whoever_allows_it_is_told_aloud(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        listener_policy.check(Settings(grpc_host=ANYWHERE, allow_insecure=True), "grpc_host")
    assert "no TLS, no tokens" in caplog.text


@pytest.mark.parametrize(
    "half",
    [
        {"tls_certificate_file": "c"},
        {"tls_key_file": "k"},
        {"client_key_file": "k"},
        {"tls_client_ca_file": "a"},
    ],
)
def test_half_of_tls_is_an_error_also_on_loopback(half: dict[str, Any]) -> None:
    with pytest.raises(Misconfigured):
        listener_policy.check(Settings(**half), "grpc_host")
