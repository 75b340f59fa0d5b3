"""What every artifact store does."""

from __future__ import annotations

import os
import threading
import time
import uuid
from pathlib import Path

import pytest

from digits.adapters.hdfs import HdfsStore
from digits.adapters.local_folder import LocalFolderStore
from digits.adapters.memory import MemoryStore
from digits.errors import AlreadyPublished, NotFound, StoreUnavailable
from digits.ports import ArtifactStore
from tests.secure_hdfs import SecureHdfs


@pytest.fixture(params=["memory", "local_folder", "hdfs", "hdfs by TLS"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ArtifactStore:
    if request.param == "hdfs":
        return HdfsStore([request.getfixturevalue("hdfs")], f"/{uuid.uuid4().hex}/digits")
    if request.param == "hdfs by TLS":
        secure: SecureHdfs = request.getfixturevalue("secure_hdfs")
        return secure.store(f"/{uuid.uuid4().hex}/digits")
    return MemoryStore() if request.param == "memory" else LocalFolderStore(tmp_path / "store")


def test_what_was_published_reads_back(store: ArtifactStore) -> None:
    store.publish("models/v1.bundle", b"model")
    assert store.read("models/v1.bundle") == b"model"


def test_a_published_name_never_changes(store: ArtifactStore) -> None:
    store.publish("models/v1.bundle", b"first")
    with pytest.raises(AlreadyPublished):
        store.publish("models/v1.bundle", b"second")
    assert store.read("models/v1.bundle") == b"first"


def test_of_many_publishers_of_a_name_one_wins(store: ArtifactStore) -> None:
    won: list[bytes] = []

    def publish(data: bytes) -> None:
        try:
            store.publish("models/v1.bundle", data)
            won.append(data)
        except AlreadyPublished:
            pass

    threads = [threading.Thread(target=publish, args=(bytes([n]) * 100_000,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [store.read("models/v1.bundle")] == won


def test_a_missing_name_is_not_found(store: ArtifactStore) -> None:
    with pytest.raises(NotFound):
        store.read("models/v9.bundle")


def test_an_empty_file_is_a_file(store: ArtifactStore) -> None:
    store.publish("a/1", b"")
    assert (store.read("a/1"), store.names("a")) == (b"", ["a/1"])


def test_a_file_of_some_megabytes_reads_back(store: ArtifactStore) -> None:
    data = bytes(range(256)) * (5 << 12)
    store.publish("a/1", data)
    assert store.read("a/1") == data


def test_names_are_the_folders_own_and_sorted(store: ArtifactStore) -> None:
    for name in ("a/2", "a/1", "b/1", "a/deeper/1"):
        store.publish(name, b"")
    assert store.names("a") == ["a/1", "a/2"]
    assert store.names("nothing") == []


def test_folders_are_those_in_a_folder_and_sorted(store: ArtifactStore) -> None:
    for name in ("a/2/x", "a/1/x", "a/1/deeper/x", "a/file", "ab/3/x"):
        store.publish(name, b"")
    assert store.folders("a") == ["a/1", "a/2"]
    assert (store.folders("a/2"), store.folders("nothing")) == ([], [])


def test_removing_what_dead_publishers_left_keeps_what_is_whole(store: ArtifactStore) -> None:
    store.publish("a/1", b"whole")
    store.delete_unfinished("a", min_age_seconds=0)
    store.delete_unfinished("nothing", min_age_seconds=0)
    assert store.names("a") == ["a/1"]


def test_a_deleted_folder_is_gone_and_deleting_again_does_nothing(store: ArtifactStore) -> None:
    store.publish("a/1", b"")
    store.publish("ab/1", b"")
    store.delete("a")
    store.delete("a")
    store.delete("ab/2")
    assert (store.names("a"), store.names("ab")) == ([], ["ab/1"])


def test_a_folder_whose_remover_was_killed_is_still_listed_and_goes(tmp_path: Path) -> None:
    store = LocalFolderStore(tmp_path)
    store.publish("checkpoints/job/1", b"")
    (tmp_path / "checkpoints" / "job").rename(tmp_path / "checkpoints" / ".job")
    assert store.folders("checkpoints") == ["checkpoints/job"]
    assert store.names("checkpoints/job") == []
    store.delete("checkpoints/job")
    assert list((tmp_path / "checkpoints").iterdir()) == []


def test_a_folder_without_room_is_unavailable_and_keeps_no_half_file(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file where the folder should be")
    with pytest.raises(StoreUnavailable):
        LocalFolderStore(tmp_path / "store").publish("a/1", b"")


def test_a_half_written_file_of_a_killed_publisher_is_not_listed(tmp_path: Path) -> None:
    store = LocalFolderStore(tmp_path)
    store.publish("a/1", b"whole")
    (tmp_path / "a" / ".2.0123").write_bytes(b"hal")
    assert store.names("a") == ["a/1"]


def test_a_half_written_file_is_removed_once_nobody_wrote_to_it_for_long(tmp_path: Path) -> None:
    store = LocalFolderStore(tmp_path)
    store.publish("a/1", b"whole")
    half = tmp_path / "a" / ".2.0123"
    half.write_bytes(b"hal")
    store.delete_unfinished("a", min_age_seconds=3600)
    assert half.exists()
    os.utime(half, (time.time() - 3601,) * 2)
    store.delete_unfinished("a", min_age_seconds=3600)
    assert not half.exists()


def test_a_store_says_how_many_bytes_it_holds(store: ArtifactStore) -> None:
    assert store.total_bytes() == 0
    store.publish("models/v1.bundle", bytes(1000))
    store.publish("checkpoints/job/1.checkpoint", bytes(24))
    assert store.total_bytes() == 1024
    store.delete("checkpoints/job")
    assert store.total_bytes() == 1000
