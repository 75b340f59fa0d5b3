"""An HDFS that speaks HTTPS and nothing else."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import requests
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, load_pem_private_key, pkcs12
from cryptography.x509 import load_pem_x509_certificates

from deploy.native.servers.datanode import DataNode
from deploy.native.servers.namenode import NameNode
from digits.adapters.hdfs import HdfsStore
from digits.errors import StoreUnavailable
from tests.certificates import Authority, make_authority
from tests.ports import free_port
from tests.processes import running
from tests.servers import add_to_hdfs_site
from tests.waiting import wait_until

_PASSWORD = "of a file"  # noqa: S105


@dataclass(frozen=True)
class SecureHdfs:
    """Where it is, and who vouches for it: for 127.0.0.1, not for localhost."""

    port: int
    authority: Authority

    def store(self, root: str) -> HdfsStore:
        """A store that trusts it."""
        return HdfsStore([f"127.0.0.1:{self.port}"], root, tls=True, ca_file=self.authority.file)


@contextlib.contextmanager
def secured_hdfs(folder: Path) -> Iterator[SecureHdfs]:
    """Runs a NameNode and a DataNode."""
    hdfs = SecureHdfs(free_port(), make_authority(folder, "127.0.0.1"))
    names = (*NameNode.ports, *DataNode.ports)
    ports = {name: free_port() for name in names}
    data_port = free_port()
    name_folder, data_folder = folder / "name", folder / "data"
    commands = [
        NameNode().command(name_folder, ports),
        DataNode().command(data_folder, ports),
    ]
    _secure(name_folder, hdfs.authority, {"dfs.namenode.https-address": f"127.0.0.1:{hdfs.port}"})
    _secure(data_folder, hdfs.authority, {"dfs.datanode.https.address": f"127.0.0.1:{data_port}"})

    def takes_a_file() -> bool:
        with contextlib.suppress(StoreUnavailable, requests.RequestException):
            hdfs.store("/usable").publish("file", b"whole")
            hdfs.store("/usable").delete("file")
            return True
        return False

    with (
        running(commands[0], hdfs.port, name_folder / "log"),
        running(commands[1], data_port, data_folder / "log"),
    ):
        wait_until(takes_a_file, seconds=60, what="a usable HDFS")
        yield hdfs


def _secure(folder: Path, authority: Authority, addresses: dict[str, str]) -> None:
    add_to_hdfs_site(folder, {"dfs.http.policy": "HTTPS_ONLY", **addresses})
    store = folder / "keystore.p12"
    key = load_pem_private_key(authority.server.key.read_bytes(), None)
    own, *others = load_pem_x509_certificates(authority.server.chain.read_bytes())
    store.write_bytes(
        pkcs12.serialize_key_and_certificates(
            b"server",
            key,  # type: ignore[arg-type]
            own,
            others,
            BestAvailableEncryption(_PASSWORD.encode()),
        )
    )
    properties = {"location": str(store), "password": _PASSWORD, "keypassword": _PASSWORD, "type": "pkcs12"}
    lines = "".join(
        f"<property><name>ssl.server.keystore.{name}</name><value>{value}</value></property>"
        for name, value in properties.items()
    )
    (folder / "conf" / "ssl-server.xml").write_text(f"<configuration>{lines}</configuration>")
