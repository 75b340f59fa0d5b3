"""Batches that are read from a real HDFS are those that were put there."""

from __future__ import annotations

import gzip
import io
import uuid
from pathlib import Path

import numpy as np
import pytest

from digits import bootstrap
from digits.adapters.hdfs import HdfsStore
from digits.datasets.dataset import Dataset, open_dataset
from digits.datasets.idx import IdxName
from digits.errors import BatchUnavailable, InvalidInput, NotFound
from digits.jobs import train_request
from digits.settings import Settings
from digits.v1 import digit_service_pb2, training_pb2
from tests import batches_of_people as people
from tests import parquet_batches
from tests.opened import opened
from tests.ports import free_port
from tests.same_answer import answering, webhdfs_refusal
from tests.servers import data_node, name_node

FIELD = "images_batch_path"
MAX_BYTES = 1 << 28
RANDOM = np.random.default_rng(0)


class Place:
    """A folder of its own in an HDFS."""

    def __init__(self, address: str) -> None:
        self.root = f"/{uuid.uuid4().hex}"
        self.url = f"webhdfs://{address}{self.root}"
        self.store = HdfsStore([address], self.root)
        self.places = bootstrap.batches(Settings(batches_url=self.url))

    def open(self, path: str) -> Dataset:
        return open_dataset(self.places.resolve(f"{self.url}/{path}", FIELD), FIELD, MAX_BYTES)

    def put(self, folder: Path) -> None:
        for file in folder.iterdir():
            self.store.publish(f"{folder.name}/{file.name}", file)


@pytest.fixture
def place(hdfs: str) -> Place:
    return Place(hdfs)


def images(count: int) -> dict[str, np.ndarray]:
    pixels = RANDOM.integers(0, 256, (count, 28, 28), np.uint8)
    return {"x_train": pixels, "y_train": (np.arange(count) % 10).astype(np.uint8)}


def shards(folder: Path, count: int = 3, size: int = 40) -> Path:
    folder.mkdir()
    for number in range(count):
        save = np.savez_compressed if number % 2 else np.savez
        save(folder / f"part-{number}.npz", **images(size))
    return folder


def same(one: Dataset, other: Dataset) -> bool:
    held_out = one.held_out().sha256() == other.held_out().sha256()
    return held_out and one.sha256() == other.sha256()


def test_a_file_a_folder_and_a_pattern_are_what_they_are_on_a_disk(place: Place, tmp_path: Path) -> None:
    folder = shards(tmp_path / "shards")
    place.put(folder)
    assert same(place.open("shards"), opened(folder, MAX_BYTES))
    assert same(place.open("shards/part-1.npz"), opened(folder / "part-1.npz", MAX_BYTES))
    (folder / "part-0.npz").unlink()
    assert same(place.open("shards/part-[12].*"), opened(folder, MAX_BYTES))


def test_a_file_of_many_pieces_is_read_whole(place: Place, tmp_path: Path) -> None:
    folder = shards(tmp_path / "large", count=1, size=20_000)
    assert (folder / "part-0.npz").stat().st_size > 3 * (4 << 20)
    place.put(folder)
    assert same(place.open("large"), opened(folder, MAX_BYTES))


def test_csv_and_idx_files_are_read_packed_or_not(place: Place, tmp_path: Path) -> None:
    batch = images(30)
    folder = tmp_path / "idx"
    folder.mkdir()
    for name, values in (
        ("train-images-idx3-ubyte", batch["x_train"]),
        ("train-labels-idx1-ubyte", batch["y_train"]),
    ):
        assert IdxName.of(name)
        head = bytes([0, 0, 8, values.ndim]) + b"".join(side.to_bytes(4) for side in values.shape)
        (folder / f"{name}.gz").write_bytes(gzip.compress(head + values.tobytes()))
    place.put(folder)
    table = io.BytesIO()
    rows = np.column_stack([batch["y_train"], batch["x_train"].reshape(30, -1)])
    np.savetxt(table, rows, "%d", ",")
    for name, data in (("a.csv", table.getvalue()), ("b.csv.gz", gzip.compress(table.getvalue()))):
        place.store.publish(f"csv/{name}", data)
        assert place.open(f"csv/{name}").sha256() == place.open("idx").sha256()


@pytest.mark.parametrize("name", ["Hugging Face's", "Kaggle's by pandas", "28 lists of 28"])
def test_parquet_files_are_what_they_are_on_a_disk(place: Place, name: str) -> None:
    data, _ = parquet_batches.ACCEPTED[name]
    place.store.publish("parquet/train-00000-of-00001.parquet", data)
    place.store.publish("parquet/test-00000-of-00001.parquet", parquet_batches.TEST)
    place.store.publish("parquet/damaged.parquet", data[:-100])
    batch = place.open("parquet/t*-00000-of-00001.parquet")
    assert same(batch, opened(people.npz(**people.PARTS, **people.TEST_PARTS), MAX_BYTES))
    with pytest.raises(InvalidInput, match=r"damaged\.parquet cannot be read: it is cut off"):
        place.open("parquet/damaged.parquet")


def test_what_is_no_batch_is_said_as_of_a_disk(place: Place) -> None:
    place.store.publish("odd/notes.txt", b"nothing")
    place.store.publish("odd/cut.npz", b"PK\3\4 no more")
    with pytest.raises(InvalidInput, match=r"cut\.npz is not an npz file"):
        place.open("odd/cut.npz")
    with pytest.raises(NotFound, match="no file"):
        place.open("odd/missing.npz")
    with pytest.raises(InvalidInput, match=r"no file has a name like 'x\*'; the folder holds cut.npz, notes"):
        place.open("odd/x*")


def test_a_job_opens_the_files_that_it_was_accepted_with_or_none(place: Place, tmp_path: Path) -> None:
    place.put(shards(tmp_path / "shards", count=2))
    request = digit_service_pb2.TrainRequest(images_batch_path=f"{place.url}/shards")
    dataset = train_request.open_batch(request, None, place.places, MAX_BYTES)
    spec = training_pb2.TrainSpec(
        images_batch_path=request.images_batch_path, files_sha256=dataset.files.sha256()
    )
    assert same(train_request.open_batch(spec, None, place.places, MAX_BYTES), dataset)
    dataset.files.check()
    place.store.delete("shards/part-1.npz")
    place.store.publish("shards/part-1.npz", (tmp_path / "shards" / "part-0.npz").read_bytes())
    with pytest.raises(InvalidInput, match=r"part-1\.npz changed after the job was accepted"):
        dataset.files.check()
    with pytest.raises(InvalidInput, match="the batch changed after the job was accepted"):
        train_request.open_batch(spec, None, place.places, MAX_BYTES)


def test_what_the_service_may_not_read_and_an_hdfs_that_goes_away_are_told_apart(tmp_path: Path) -> None:
    http_port, rpc_port = free_port(), free_port()
    with name_node(
        tmp_path / "name", http_port, rpc_port, {"dfs.permissions.enabled": "true", "dfs.ls.limit": "2"}
    ):
        with data_node(tmp_path / "data", rpc_port, http_port):
            place = Place(f"127.0.0.1:{http_port}")
            place.put(shards(tmp_path / "shards", count=5))
            # The NameNode lists two at a time.
            assert same(place.open("shards"), opened(tmp_path / "shards", MAX_BYTES))
            place.store._ask("close it", lambda client: client.set_permission(f"{place.root}/shards", "700"))
            theirs = bootstrap.batches(Settings(batches_url=place.url, webhdfs_user="somebody-else"))
            for path in ("shards", "shards/part-0.npz"):
                with pytest.raises(InvalidInput, match="HDFS does not let the service read it"):
                    open_dataset(theirs.resolve(f"{place.url}/{path}", FIELD), FIELD, MAX_BYTES)
            dataset = place.open("shards")
        with pytest.raises(BatchUnavailable, match=r"part-0\.npz cannot be read at the moment"):
            dataset.held_out()
    with pytest.raises(BatchUnavailable, match="HDFS does not answer"):
        place.open("shards")


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (500, webhdfs_refusal("RuntimeException"), "so it is"),
        (403, webhdfs_refusal("InvalidToken"), "so it is"),
        (503, b"<html>" + b"x" * 5000, "no WebHDFS"),
        (403, b"{}", "no WebHDFS"),
        (200, b"{}", "no WebHDFS"),
        (200, b"null", "no WebHDFS"),
        (200, b"<html>", "does not answer"),
    ],
)
def test_what_an_hdfs_says_beside_that_there_is_no_such_file_is_waited_for(
    status: int, body: bytes, says: str
) -> None:
    with answering(status, body) as address, pytest.raises(BatchUnavailable, match=says) as error:
        Place(address).open("shards")
    assert len(str(error.value)) < 500


@pytest.mark.parametrize("exception", ["FileNotFoundException", "ParentNotDirectoryException"])
def test_only_what_is_not_there_is_not_found(exception: str) -> None:
    with answering(404, webhdfs_refusal(exception)) as address, pytest.raises(NotFound):
        Place(address).open("shards")
