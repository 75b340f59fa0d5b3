"""Certificates and tokens that the settings name."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from deploy.native import preflight
from deploy.native.doctor.finding import Finding, doubtful, fine, wrong
from deploy.native.errors import CannotStart
from digits.settings import Settings

_SOON_DAYS = 30
_PAIRS = (("tls_certificate_file", "tls_key_file"), ("client_certificate_file", "client_key_file"))
_AUTHORITIES = ("tls_client_ca_file", "server_ca_file")


def certificates(settings: Settings) -> list[Finding]:
    """Whether each is readable, fits its key and is valid for a while; and whether we may listen so."""
    pairs = [
        _pair(chain, getattr(settings, chain), getattr(settings, key))
        for chain, key in _PAIRS
        if getattr(settings, chain) and getattr(settings, key)
    ]
    authorities = [
        _authority(name, getattr(settings, name)) for name in _AUTHORITIES if getattr(settings, name)
    ]
    return [*pairs, *authorities, *_exposure(settings)]


def _pair(setting: str, chain: Path, key: Path) -> Finding:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(chain, key)
    except (OSError, ssl.SSLError) as error:
        return wrong(
            setting, f"{chain} with {key}: {error}", f"DIGITS_{setting.upper()}=PEM file, and its key"
        )
    return _validity(setting, chain)


def _authority(setting: str, path: Path) -> Finding:
    try:
        ssl.create_default_context(cafile=path)
    except (OSError, ssl.SSLError) as error:
        return wrong(setting, f"{path}: {error}", f"DIGITS_{setting.upper()}=PEM file of certificates")
    return _validity(setting, path)


def _validity(setting: str, path: Path) -> Finding:
    ends = min(each.not_valid_after_utc for each in x509.load_pem_x509_certificates(path.read_bytes()))
    left = (ends - datetime.now(UTC)).days
    if left < 0:
        return wrong(setting, f"{path} expired {-left} days ago", f"put a new one at {path}")
    found = f"{path} is valid for {left} days"
    if left < _SOON_DAYS:
        return doubtful(setting, found, f"put a new one at {path}: the server takes it without a restart")
    return fine(setting, found)


def _exposure(settings: Settings) -> list[Finding]:
    try:
        preflight.check_exposure(settings)
    except CannotStart as error:
        found, _, mend = str(error).partition(": set ")
        return [wrong("security", found, f"set {mend}" if mend else "see docs/operations.md")]
    return []
