"""A real ZooKeeper that wants to know who asks: strangers get nothing, and what we make is ours alone."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import trustme
from kazoo.client import KazooClient
from kazoo.exceptions import NoAuthError

from deploy.native.service.registry_reader import RegistryReader
from digits.adapters.zookeeper import ZooKeeperCoordinator
from digits.adapters.zookeeper_access import OPEN, ZooKeeperAccess
from digits.errors import CoordinatorUnavailable
from digits.ports import Create, Replace
from digits.v1 import models_pb2
from tests.conformance.line import LOG_IN, line_to
from tests.secure_zookeeper import SecureZooKeeper
from tests.waiting import wait_until

DIGEST = ZooKeeperAccess("digest", "digits", "one")
OTHER = ZooKeeperAccess("digest", "somebody", "else")


@pytest.fixture
def root() -> str:
    return f"/{uuid.uuid4().hex}/digits"


@contextlib.contextmanager
def session(url: str, access: ZooKeeperAccess) -> Iterator[ZooKeeperCoordinator]:
    with closing(ZooKeeperCoordinator(url, 4, connect_seconds=3, access=access)) as coordinator:
        yield coordinator


@contextlib.contextmanager
def kazoo(address: str, access: ZooKeeperAccess) -> Iterator[KazooClient]:
    client = KazooClient(address, **access.kazoo())
    client.start()
    yield client
    client.stop()
    client.close()


def refusal(url: str, access: ZooKeeperAccess) -> str:
    with session(url, access) as coordinator, pytest.raises(CoordinatorUnavailable) as refused:
        # Kazoo says that it is connected before it has logged in.
        wait_until(lambda: coordinator.get("/serving") is not None, seconds=20, what="an answer")
    return str(refused.value)


def test_whoever_does_not_log_in_is_told_nothing(secure_zookeeper: SecureZooKeeper, root: str) -> None:
    assert "ZooKeeper" in refusal(f"zookeeper://{secure_zookeeper.address}{root}", OPEN)


def test_a_name_of_the_other_scheme_does_not_do(secure_zookeeper: SecureZooKeeper, root: str) -> None:
    assert "ZooKeeper" in refusal(f"zookeeper://{secure_zookeeper.address}{root}", DIGEST)


# Kazoo's thread ends of it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_wrong_password_is_said_to_be_one_and_kept_out_of_the_sentence(
    secure_zookeeper: SecureZooKeeper, root: str
) -> None:
    wrong = replace(secure_zookeeper.access(), password="guessed")  # noqa: S106
    with session(f"zookeeper://{secure_zookeeper.address}{root}", wrong) as coordinator:

        def said() -> str:
            with pytest.raises(CoordinatorUnavailable) as refused:
                coordinator.get("/a")
            return str(refused.value)

        wait_until(lambda: "DIGITS_ZOOKEEPER_SCHEME, _USERNAME and _PASSWORD" in said(), what="a reason")
        assert "guessed" not in said()
        assert "guessed" not in repr(wrong)


@pytest.mark.parametrize("scheme", ["digest", "sasl"])
def test_everything_that_we_make_is_ours_alone(
    zookeeper: str, secure_zookeeper: SecureZooKeeper, root: str, scheme: str
) -> None:
    address, access = (
        (zookeeper, DIGEST) if scheme == "digest" else (secure_zookeeper.address, secure_zookeeper.access())
    )
    with session(f"zookeeper://{address}{root}", access) as coordinator:
        coordinator.commit(Create("/jobs/a", b"0"), Create("/models", b""))
        assert coordinator.create_ephemeral("/jobs/a/lease", b"")
        with kazoo(address, access) as client:
            paths = (root, f"{root}/jobs", f"{root}/jobs/a", f"{root}/models", f"{root}/jobs/a/lease")
            for path in paths:
                (own,) = client.get_acls(path)[0]
                assert (own.id.scheme, own.id.id.partition(":")[0], own.acl_list) == (
                    scheme,
                    "digits",
                    ["ALL"],
                )


def test_somebody_else_neither_reads_nor_changes_it_and_hears_why(zookeeper: str, root: str) -> None:
    url = f"zookeeper://{zookeeper}{root}"
    with session(url, DIGEST) as ours, session(url, OTHER) as theirs:
        ours.commit(Create("/a", b"0"))
        with pytest.raises(CoordinatorUnavailable, match="refuses us"):
            theirs.get("/a")
        with pytest.raises(CoordinatorUnavailable, match="refuses us"):
            theirs.commit(Replace("/a", b"1", 0))
        with kazoo(zookeeper, OPEN) as stranger, pytest.raises(NoAuthError):
            stranger.delete(f"{root}/a")
        stored = ours.get("/a")
        assert stored
        assert stored.value == b"0"


# Kazoo leaves the socket of a handshake that failed to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("wrong", ["name", "authority", "own certificate"])
def test_by_tls_the_name_the_authority_and_our_own_certificate_have_to_be_right(
    secure_zookeeper: SecureZooKeeper, root: str, tmp_path: Path, wrong: str
) -> None:
    address, access = secure_zookeeper.tls_address, secure_zookeeper.tls_access()
    if wrong == "name":
        address = f"127.0.0.1:{secure_zookeeper.tls_port}"
    elif wrong == "authority":
        trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
        access = replace(access, ca_file=tmp_path / "ca.pem")
    else:
        access = replace(access, certificate_file=None, key_file=None)
    assert "ZooKeeper" in refusal(f"zookeeper+tls://{address}{root}", access)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_server_that_ends_in_our_login_is_logged_in_to_once_it_is_back(
    secure_zookeeper: SecureZooKeeper, root: str
) -> None:
    """Kazoo takes it for a wrong password, and would never try again."""
    with line_to(secure_zookeeper.address) as line:
        line.cut_after(LOG_IN)
        url = f"zookeeper://127.0.0.1:{line.port}{root}"
        with session(url, secure_zookeeper.access()) as coordinator:
            assert line.was_cut.wait(10)
            line.mend()

            def writes() -> bool:
                with contextlib.suppress(CoordinatorUnavailable):
                    coordinator.commit(Create("/a", b"0"))
                    return True
                return False

            wait_until(writes, seconds=20, what="a session")


def test_status_and_the_supervisor_read_a_zookeeper_that_wants_a_login(
    secure_zookeeper: SecureZooKeeper, root: str
) -> None:
    url, access = f"zookeeper+tls://{secure_zookeeper.tls_address}{root}", secure_zookeeper.tls_access()
    with session(url, access) as coordinator, closing(RegistryReader(url, access)) as reader:
        coordinator.commit(Create("/serving", models_pb2.Serving(version="v7").SerializeToString()))
        wait_until(lambda: reader.serving_version() == "v7", what="the version")
