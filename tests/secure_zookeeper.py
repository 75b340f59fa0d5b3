"""A ZooKeeper that wants to know who asks: plain text on one port, TLS in both directions on another."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from deploy.native.servers.server import USERNAME
from digits.adapters.zookeeper_access import ZooKeeperAccess
from tests.certificates import Authority, make_authority
from tests.ports import free_port
from tests.servers import zookeeper_server

PASSWORD = "kept-from-strangers"  # noqa: S105


@dataclass(frozen=True)
class SecureZooKeeper:
    """Where it is, and who vouches for it: for localhost, not for 127.0.0.1."""

    port: int
    tls_port: int
    authority: Authority

    @property
    def address(self) -> str:
        """Without TLS."""
        return f"127.0.0.1:{self.port}"

    @property
    def tls_address(self) -> str:
        """With TLS."""
        return f"localhost:{self.tls_port}"

    def access(self) -> ZooKeeperAccess:
        """What it wants to see, without TLS."""
        return ZooKeeperAccess("sasl", USERNAME, PASSWORD)

    def tls_access(self) -> ZooKeeperAccess:
        """What it wants to see, with TLS."""
        own = self.authority.client
        return replace(
            self.access(),
            tls=True,
            ca_file=self.authority.file,
            certificate_file=own.chain,
            key_file=own.key,
        )


@contextlib.contextmanager
def secured_zookeeper(folder: Path) -> Iterator[SecureZooKeeper]:
    """Runs one."""
    port, tls_port, authority = free_port(), free_port(), make_authority(folder, "localhost")
    more = {
        "secureClientPort": str(tls_port),
        "secureClientPortAddress": "127.0.0.1",
        "serverCnxnFactory": "org.apache.zookeeper.server.NettyServerCnxnFactory",
        "ssl.keyStore.location": str(authority.server.both),
        "ssl.trustStore.location": str(authority.file),
    }
    with zookeeper_server(folder / "zookeeper", port, {"zookeeper": PASSWORD}, more):
        yield SecureZooKeeper(port, tls_port, authority)
