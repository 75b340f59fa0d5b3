"""What people type for an address, as gRPC names its targets."""

from __future__ import annotations

import re

from digits.limits import DEFAULT_GRPC_PORT

_GRPCS_OWN = re.compile(r"(dns|unix|unix-abstract|ipv4|ipv6|xds|vsock):")
_SCHEME = re.compile(r"(?P<scheme>https?|grpcs?)://", re.IGNORECASE)
_HAS_PORT = re.compile(r".*[^:]:\d+|\[.*\]:\d+")


def target(address: str) -> tuple[str, bool]:
    """The gRPC target that is meant, and whether it is to be called by TLS.

    http://, grpc://, https:// and grpcs:// are taken off with what comes after the port; a host alone gets
    the default port. gRPC's own forms (dns:///…, unix:…, ipv4:…, several addresses) stay as they are.
    """
    text = address.strip()
    if _GRPCS_OWN.match(text) or "," in text:
        return text, False
    scheme = _SCHEME.match(text)
    host = re.split(r"[/?#]", text[scheme.end() :] if scheme else text)[0]
    named = host if _HAS_PORT.fullmatch(host) else f"{host}:{DEFAULT_GRPC_PORT}"
    return named, scheme is not None and scheme["scheme"].lower() in ("https", "grpcs")
