"""Who may reach us: beyond loopback only with TLS and tokens, unless somebody said otherwise."""

from __future__ import annotations

import ipaddress
import logging
from typing import Literal

from digits.errors import Misconfigured
from digits.settings import Settings

logger = logging.getLogger(__name__)


def check(settings: Settings, listener: Literal["grpc_host", "rest_host"]) -> None:
    """Raises Misconfigured if that listener would be open to strangers, or half of TLS is missing."""
    _check_pairs(settings)
    host = getattr(settings, listener)
    lacking = _lacking(settings)
    if not lacking or is_loopback(host):
        return
    where = f"DIGITS_{listener.upper()}={host}"
    if not settings.allow_insecure:
        raise Misconfigured(
            f"{where} would be open to the network without {' and without '.join(lacking)}: set "
            f"{', '.join(lacking.values())}, or DIGITS_ALLOW_INSECURE=1 if nobody else reaches it"
        )
    logger.warning(
        "%s: DIGITS_ALLOW_INSECURE=1, no %s: whoever reaches it is let in", where, ", no ".join(lacking)
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens there."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _lacking(settings: Settings) -> dict[str, str]:
    lacking = {}
    if not settings.tls_certificate_file:
        lacking["TLS"] = "DIGITS_TLS_CERTIFICATE_FILE, DIGITS_TLS_KEY_FILE"
    if not settings.tokens_file:
        lacking["tokens"] = "DIGITS_TOKENS_FILE"
    return lacking


def _check_pairs(settings: Settings) -> None:
    for first, second in (
        ("tls_certificate_file", "tls_key_file"),
        ("client_certificate_file", "client_key_file"),
    ):
        if bool(getattr(settings, first)) != bool(getattr(settings, second)):
            raise Misconfigured(f"DIGITS_{first.upper()} and DIGITS_{second.upper()} are needed together")
    if settings.tls_client_ca_file and not settings.tls_certificate_file:
        raise Misconfigured("DIGITS_TLS_CLIENT_CA_FILE needs DIGITS_TLS_CERTIFICATE_FILE")
