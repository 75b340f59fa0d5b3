"""What only a store in HDFS meets: NameNodes that stand by, hang or change, and readers that are not ours."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import http.server
import json
import socket
import subprocess
import threading
import time
import traceback
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.native.downloads import jars
from deploy.native.servers.java import find_java
from digits.adapters.hdfs import HdfsStore
from digits.errors import AlreadyPublished, StoreFull, StoreUnavailable
from tests.conformance.conftest import jars_of
from tests.name_nodes import name_node_pair
from tests.ports import free_port
from tests.same_answer import answering, webhdfs_refusal
from tests.servers import data_node, name_node
from tests.waiting import wait_until


@pytest.fixture
def root() -> str:
    return f"/{uuid.uuid4().hex}"


@pytest.fixture
def standby() -> Iterator[str]:
    """A NameNode that stands by, as far as WebHDFS shows."""

    with answering(403, webhdfs_refusal("StandbyException")) as address:
        yield address


@pytest.fixture
def silent() -> Iterator[str]:
    """A NameNode that hangs."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_the_active_name_node_is_found(hdfs: str, standby: str, root: str) -> None:
    store = HdfsStore([f"127.0.0.1:{free_port()}", standby, hdfs], root)
    store.publish("a/1", b"whole")
    assert (store.read("a/1"), store.names("a")) == (b"whole", ["a/1"])


def test_a_name_node_that_hangs_is_passed_over_once(hdfs: str, silent: str, root: str) -> None:
    store = HdfsStore([silent, hdfs], root)
    started = time.monotonic()
    for number in range(3):
        store.publish(f"a/{number}", b"whole")
    assert time.monotonic() - started < 12


def test_name_nodes_that_hang_are_unavailable_in_seconds(silent: str, root: str) -> None:
    started = time.monotonic()
    with pytest.raises(StoreUnavailable, match="ReadTimeout"):
        HdfsStore([silent], root).publish("a/1", b"")
    assert time.monotonic() - started < 15


def test_a_name_node_that_stands_by_alone_is_unavailable(standby: str, root: str) -> None:
    with pytest.raises(StoreUnavailable, match="StandbyException: so it is"):
        HdfsStore([standby], root).read("a/1")


@pytest.mark.parametrize(
    "exception", ["AccessControlException", "NSQuotaExceededException", "DSQuotaExceededException"]
)
def test_an_hdfs_that_will_never_take_it_says_why(exception: str, root: str) -> None:
    with (
        _answering(403, exception, "Permission denied: user=digits") as address,
        pytest.raises(StoreFull, match=f"{exception}: Permission denied: user=digits"),
    ):
        HdfsStore([address], root).publish("a/1", b"")


def test_an_hdfs_in_safe_mode_is_away(root: str) -> None:
    with (
        _answering(403, "SafeModeException", "Cannot create file. Name node is in safe mode.") as address,
        pytest.raises(StoreUnavailable, match="safe mode") as refused,
    ):
        HdfsStore([address], root).publish("a/1", b"")
    assert not isinstance(refused.value, StoreFull)


def test_a_data_node_whose_name_does_not_resolve_is_named(root: str) -> None:
    data_node = "http://dn1.invalid:9864/webhdfs/v1/a?delegation=secret"
    with (
        _answering(307, "", "", data_node) as address,
        pytest.raises(StoreUnavailable, match=r"the name dn1\.invalid does not resolve here") as refused,
    ):
        HdfsStore([address], root).read("a/1")
    assert "secret" not in str(refused.value)


@contextlib.contextmanager
def _answering(status: int, exception: str, message: str, location: str = "") -> Iterator[str]:
    """A NameNode that answers whatever it is asked with one error, or sends to one DataNode."""

    class NameNode(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"RemoteException": {"exception": exception, "message": message}}).encode()
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_PUT = do_DELETE = do_GET

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), NameNode) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_the_token_is_in_no_error(root: str) -> None:
    token = uuid.uuid4().hex
    with pytest.raises(StoreUnavailable) as failure:
        HdfsStore([f"127.0.0.1:{free_port()}"], root, token=token, tls=True).read("a/1")
    assert token not in "".join(traceback.format_exception(failure.value))


def test_a_folders_name_is_taken_too(hdfs: str, root: str) -> None:
    store = HdfsStore([hdfs], root)
    store.publish("a/1", b"")
    with pytest.raises(AlreadyPublished):
        store.publish("a", b"")
    assert store.names("a") == ["a/1"]


def test_the_half_written_file_of_a_killed_publisher_blocks_nobody(hdfs: str, root: str) -> None:
    store = HdfsStore([hdfs], root)
    store.publish("a/1", b"whole")
    address = _location(hdfs, f"{root}/a/.2.0123")
    with socket.create_connection(address[:2]) as publisher:
        request = f"PUT {address[2]} HTTP/1.1\r\nHost: {address[0]}\r\nContent-Length: 1000000\r\n\r\nhal"
        publisher.sendall(request.encode())
        store.publish("a/2", b"whole")
    assert (store.names("a"), store.read("a/2")) == (["a/1", "a/2"], b"whole")


def test_what_a_killed_publisher_left_is_removed_once_nobody_wrote_to_it_for_long(
    hdfs: str, root: str
) -> None:
    store = HdfsStore([hdfs], root)
    store.publish("a/1", b"whole")
    address = _location(hdfs, f"{root}/a/.2.0123")
    with socket.create_connection(address[:2]) as publisher:
        publisher.sendall(f"PUT {address[2]} HTTP/1.1\r\nHost: {address[0]}\r\n".encode())
        publisher.sendall(b"Content-Length: 1000000\r\n\r\nhal")
        wait_until(lambda: ".2.0123" in _listed(hdfs, f"{root}/a"), what="half a file")
    store.delete_unfinished("a", min_age_seconds=3600)
    assert _listed(hdfs, f"{root}/a") == [".2.0123", "1"]
    store.delete_unfinished("a", min_age_seconds=-60)
    assert _listed(hdfs, f"{root}/a") == ["1"]


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../a", "a/../../b", "a/#LATEST", "a:b"])
def test_a_name_that_leaves_the_root_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not a store name"):
        HdfsStore(["127.0.0.1:1"], "/digits").read(name)


def test_an_hdfs_that_was_restarted_is_used_again(tmp_path: Path) -> None:
    http_port, rpc_port = free_port(), free_port()
    store = HdfsStore([f"127.0.0.1:{http_port}"], "/digits")
    for number in range(2):
        with (
            name_node(tmp_path / "name", http_port, rpc_port),
            data_node(tmp_path / "data", rpc_port, http_port),
        ):
            store.publish(f"a/{number}", b"whole")
            assert store.names("a") == [f"a/{n}" for n in range(number + 1)]
        with pytest.raises(StoreUnavailable, match="ConnectionError"):
            store.names("a")


def test_what_the_killed_one_of_two_name_nodes_took_is_there_and_publishing_goes_on(tmp_path: Path) -> None:
    jars_of("hdfs")
    with name_node_pair(tmp_path) as pair:
        stores = [HdfsStore(pair.addresses, "/digits"), HdfsStore(pair.addresses[::-1], "/digits")]
        for number, store in enumerate(stores):
            store.publish(f"a/{number}", bytes([number]) * 1_000_000)
        assert [pair.state(0), pair.state(1)] == ["active", "standby"]
        pair.kill(0)
        with pytest.raises(StoreUnavailable):
            stores[0].publish("a/2", b"to nobody")
        pair.activate(1)
        for number, store in enumerate(stores):
            assert store.names("a") == ["a/0", "a/1"]
            assert store.read(f"a/{number}") == bytes([number]) * 1_000_000
        for number, store in enumerate(stores, 2):
            store.publish(f"a/{number}", b"whole")
        assert [store.read("a/3") for store in stores] == [b"whole", b"whole"]


def test_hdfss_own_command_lists_and_reads_what_was_published(hdfs: str, root: str, tmp_path: Path) -> None:
    data = bytes(range(256)) * 3000
    HdfsStore([hdfs], root).publish("models/v1.bundle", data)
    path = f"webhdfs://{hdfs}{root}/models"
    (tmp_path / "core-site.xml").write_text("<configuration/>")
    class_path = f"{tmp_path}:{jars.folder('hdfs')}/*"

    def shell(*arguments: str) -> bytes:
        command = [find_java(), "-cp", class_path, "org.apache.hadoop.fs.FsShell"]
        return subprocess.run([*command, *arguments], check=True, capture_output=True, timeout=60).stdout

    assert f"{len(data)}" in shell("-ls", path).decode()
    assert hashlib.sha256(shell("-cat", f"{path}/v1.bundle")).digest() == hashlib.sha256(data).digest()
    assert b"MD5-of-0MD5-of-512CRC32C" in shell("-checksum", f"{path}/v1.bundle")


def _location(name_node: str, path: str) -> tuple[str, int, str]:
    """Host, port and path of the DataNode that takes a file."""
    host, _, port = name_node.partition(":")
    connection = http.client.HTTPConnection(host, int(port))
    connection.request("PUT", f"/webhdfs/v1{path}?op=CREATE&user.name=somebody")
    address = connection.getresponse().headers["Location"].removeprefix("http://")
    connection.close()
    place, _, rest = address.partition("/")
    return place.partition(":")[0], int(place.partition(":")[2]), f"/{rest}"


def _listed(hdfs: str, path: str) -> list[str]:
    """Every name in a folder, as the NameNode tells it."""
    host, _, port = hdfs.partition(":")
    connection = http.client.HTTPConnection(host, int(port))
    connection.request("GET", f"/webhdfs/v1{path}?op=LISTSTATUS")
    found = json.loads(connection.getresponse().read())["FileStatuses"]["FileStatus"]
    connection.close()
    return sorted(status["pathSuffix"] for status in found)
