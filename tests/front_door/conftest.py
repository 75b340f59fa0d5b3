"""The front door, and behind it two servers, two bridges and a second classify worker, as processes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass

import grpc
import pytest
import requests
import trustme

from deploy.native.service.registry_reader import RegistryReader
from digits.adapters.zookeeper_access import ZooKeeperAccess
from digits.client.client import Client
from digits.security.tokens import Principal, Role, line, new_token
from digits.v1 import training_pb2 as pb
from tests.front_door import nginx as front
from tests.front_door import replicas
from tests.front_door.nginx import Nginx
from tests.front_door.replicas import Replica
from tests.service import Service


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Who vouches for the front door."""
    return trustme.CA()


@dataclass(frozen=True)
class Tokens:
    """Bearer tokens: one for classifying, one for training, and one for everything."""

    classify: str
    train: str
    admin: str


@dataclass(frozen=True)
class FrontDoor:
    """nginx, what stands behind it, and who may call."""

    nginx: Nginx
    service: Service
    """Its own server and bridge are not behind nginx; its workers, ZooKeeper and Valkey are everybody's."""
    servers: list[Replica]
    bridges: list[Replica]
    worker: Replica
    tokens: Tokens

    @property
    def credentials(self) -> grpc.ChannelCredentials:
        """For gRPC by TLS."""
        return grpc.ssl_channel_credentials(self.nginx.ca_file.read_bytes())

    def client(self, token: str | None = None) -> Client:
        """A gRPC client through nginx, which may do everything unless a token says what."""
        shown = self.tokens.admin if token is None else token
        return Client(self.nginx.grpc_address, token=shown, credentials=self.credentials)

    def direct(self, number: int) -> Client:
        """A gRPC client of one of the servers."""
        return Client(self.servers[number].settings.server, token=self.tokens.admin)

    def rest(self) -> requests.Session:
        """An HTTP client through nginx that may do everything."""
        return front.session(self.nginx, self.tokens.admin)

    def url(self, path: str) -> str:
        """Where REST has something."""
        return f"{self.nginx.rest_url}{path}"


@pytest.fixture(scope="session")
def front_door(
    trained_service: Service, authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FrontDoor]:
    """Started once for all tests of this folder, with a model that serves."""
    folder = tmp_path_factory.mktemp("replicas")
    tokens = Tokens(new_token(), new_token(), new_token())
    rows = [line(Principal(role, frozenset({role})), getattr(tokens, role)) for role in Role]
    (folder / "tokens").write_text("\n".join(rows))
    settings = trained_service.settings()
    common = replicas.changed(
        settings,
        store_url=settings.store,
        log_url=settings.log,
        tokens_file=folder / "tokens",
        # The longest silence that is allowed.
        heartbeat_seconds=5,
    )
    servers = [replicas.server(f"server-{number}", common, folder) for number in (1, 2)]
    bridges = [replicas.bridge(f"bridge-{number}", common, servers, folder) for number in (1, 2)]
    with ExitStack() as running:
        registry = running.enter_context(
            closing(RegistryReader(settings.coordinator_url, ZooKeeperAccess.of(settings)))
        )
        worker = replicas.classify_worker("classify-worker-2", common, registry, folder)
        for replica in (*servers, *bridges, worker):
            running.callback(replica.stop)
            replica.start()
        addresses = [each.settings.server for each in servers]
        rest = [f"127.0.0.1:{each.settings.rest_port}" for each in bridges]
        nginx = running.enter_context(front.running(authority, addresses, rest))
        yield FrontDoor(nginx, trained_service, servers, bridges, worker, tokens)


@pytest.fixture(scope="session")
def two_versions(front_door: FrontDoor) -> tuple[str, str]:
    """The version that serves, and a newer one that does not."""
    with front_door.client() as client:
        serving = client.get_model("serving").version
        last = list(client.train(images_batch_path="tiny.npz", promotion=pb.NEVER))[-1]
    return serving, last.model_version
