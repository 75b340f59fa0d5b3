"""A store in an HDFS that speaks TLS: its name has to be right, and no token goes over plain HTTP."""

from __future__ import annotations

import http.server
import ssl
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from digits.adapters.hdfs import HdfsStore
from digits.errors import StoreUnavailable
from tests.certificates import Authority, make_authority
from tests.secure_hdfs import SecureHdfs


@pytest.fixture
def root() -> str:
    return f"/{uuid.uuid4().hex}"


def test_what_is_published_over_tls_reads_back(secure_hdfs: SecureHdfs, root: str) -> None:
    store, data = secure_hdfs.store(root), bytes(range(256)) * 8000
    store.publish("models/v1", data)
    assert (store.read("models/v1"), store.names("models")) == (data, ["models/v1"])


def test_an_hdfs_of_another_name_is_not_believed(secure_hdfs: SecureHdfs, root: str) -> None:
    store = HdfsStore([f"localhost:{secure_hdfs.port}"], root, tls=True, ca_file=secure_hdfs.authority.file)
    with pytest.raises(StoreUnavailable, match="SSLError"):
        store.read("a")


@pytest.mark.parametrize("with_a_stranger", [True, False])
def test_an_hdfs_that_our_authority_does_not_know_is_not_believed(
    secure_hdfs: SecureHdfs, root: str, tmp_path: Path, with_a_stranger: bool
) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    ca_file = tmp_path / "ca.pem" if with_a_stranger else None
    with pytest.raises(StoreUnavailable, match="SSLError"):
        HdfsStore([f"127.0.0.1:{secure_hdfs.port}"], root, tls=True, ca_file=ca_file).read("a")


def test_a_token_is_not_taken_for_plain_http(root: str) -> None:
    with pytest.raises(ValueError, match="say swebhdfs:// in DIGITS_STORE_URL"):
        HdfsStore(["127.0.0.1:9870"], root, token="secret")  # noqa: S106


class Listening(http.server.BaseHTTPRequestHandler):
    """Leads everybody to `leads_to`, and notes what it was asked."""

    leads_to = ""
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(307)
        self.send_header("Location", f"{self.leads_to}{self.path}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_PUT = do_DELETE = do_GET

    def log_message(self, *_: object) -> None:
        pass


def serving(server: http.server.HTTPServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield int(server.server_address[1])
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def plain() -> type[Listening]:
    return type("Plain", (Listening,), {"asked": []})


@pytest.fixture
def plain_data_node(plain: type[Listening]) -> Iterator[int]:
    yield from serving(http.server.ThreadingHTTPServer(("127.0.0.1", 0), plain))


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return make_authority(tmp_path / "authority", "127.0.0.1")


@pytest.fixture
def leading(authority: Authority, plain_data_node: int) -> Iterator[int]:
    """A NameNode with TLS whose DataNode has none."""
    handler = type("Leading", (Listening,), {"asked": [], "leads_to": f"http://127.0.0.1:{plain_data_node}"})
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(authority.server.chain, authority.server.key)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    yield from serving(server)


def test_a_token_does_not_follow_from_tls_to_plain_http(
    authority: Authority, leading: int, plain: type[Listening], root: str
) -> None:
    token = uuid.uuid4().hex
    store = HdfsStore([f"127.0.0.1:{leading}"], root, token=token, tls=True, ca_file=authority.file)
    with pytest.raises(StoreUnavailable, match="has to be HTTPS_ONLY") as failure:
        store.read("models/v1")
    with pytest.raises(StoreUnavailable, match="HTTPS_ONLY"):
        store.publish("models/v1", b"")
    assert plain.asked == []
    assert token not in str(failure.value)
