"""Certificates of an authority that a test made, in files as Java and Python read them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import trustme
from cryptography.hazmat.primitives import serialization


@dataclass(frozen=True)
class Certificate:
    """Files of one certificate: its chain, its key as PKCS #8 (which Java reads), and both together."""

    chain: Path
    key: Path
    both: Path


@dataclass(frozen=True)
class Authority:
    """Who vouches for the certificates of a folder, and those of a server on localhost and of a client."""

    file: Path
    server: Certificate
    client: Certificate


def make_authority(folder: Path, *server_names: str) -> Authority:
    """An authority of its own, whose server bears the names given."""
    folder.mkdir(parents=True, exist_ok=True)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "authority.pem")
    server, client = authority.issue_cert(*server_names), authority.issue_cert("client")
    return Authority(
        folder / "authority.pem", write(server, folder, "server"), write(client, folder, "client")
    )


def write(certificate: trustme.LeafCert, folder: Path, name: str) -> Certificate:
    """Writes NAME.pem, NAME.key and NAME.both.pem."""
    chain = b"".join(blob.bytes() for blob in certificate.cert_chain_pems)
    key = serialization.load_pem_private_key(certificate.private_key_pem.bytes(), None).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    made = Certificate(folder / f"{name}.pem", folder / f"{name}.key", folder / f"{name}.both.pem")
    made.chain.write_bytes(chain)
    made.key.write_bytes(key)
    made.both.write_bytes(key + chain)
    return made
