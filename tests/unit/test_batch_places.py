"""An address in a request leads below the one folder that the settings name, or nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from digits.datasets.files import BatchFile, BatchFolder, Bytes
from digits.datasets.matching import Matching
from digits.datasets.places import BatchPlaces, Elsewhere
from digits.errors import InvalidInput, NotFound

FIELD = "images_batch_path"


class Folder(BatchFolder):
    def listed(self, field: str) -> tuple[dict[str, BatchFile], dict[str, BatchFolder]]:
        return {"part-0.npz": Bytes(b"0")}, {}


class Files:
    def __init__(self) -> None:
        self.asked: list[str] = []

    def find(self, path: str, field: str) -> BatchFile | BatchFolder | None:
        self.asked.append(path)
        return {"/batches": Folder(), "/batches/a.npz": Bytes(b"a")}.get(path)


@pytest.fixture
def files() -> Files:
    return Files()


@pytest.fixture
def places(files: Files, tmp_path: Path) -> BatchPlaces:
    hosts = ("one:9870", "two:9870")
    return BatchPlaces(tmp_path, Elsewhere("webhdfs", hosts, "/batches", files))


@pytest.mark.parametrize(
    "address",
    [
        "webhdfs://one:9870/batches/a.npz",
        "webhdfs://TWO:9870/batches/a.npz",
        "WEBHDFS://one:9870/batches//a.npz",
        " hdfs://one:8020/batches/a.npz",
        "hdfs://two/batches/a.npz",
        "hdfs:///batches/a.npz",
    ],
)
def test_an_address_below_the_folder_is_a_file_there(address: str, places: BatchPlaces) -> None:
    assert places.resolve(address, FIELD) == Bytes(b"a")


def test_the_last_part_of_an_address_may_be_a_pattern(places: BatchPlaces) -> None:
    found = places.resolve("hdfs:///batches/part-?.npz", FIELD)
    assert isinstance(found, Matching)
    assert found.fits("part-0.npz")
    with pytest.raises(InvalidInput, match="in a folder's name"):
        places.resolve("hdfs:///batches/*/a.npz", FIELD)


@pytest.mark.parametrize(
    ("address", "says"),
    [
        (
            "webhdfs://other:9870/batches/a.npz",
            r"is not below hdfs:///batches/ \(DIGITS_BATCHES_URL",
        ),
        ("webhdfs://one:8020/batches/a.npz", "is not below"),
        ("webhdfs://user@one:9870/batches/a.npz", "is not below"),
        ("swebhdfs://one:9870/batches/a.npz", "is not below"),
        ("hdfs://other/batches/a.npz", "is not below"),
        ("hdfs://one:x@evil/batches/a.npz", "is not below"),
        ("hdfs://one:8020:99/batches/a.npz", "is not below"),
        ("hdfs://user@one/batches/a.npz", "is not below"),
        ("s3://bucket/a.npz", "is not below"),
        ("hdfs:///digits/models/v1", "is not below"),
        ("hdfs:///batches-too/a.npz", "is not below"),
        ("hdfs:////batches/a.npz", "is not below"),
        ("hdfs://one", "is not below"),
        ("hdfs:///batches/../digits/a.npz", r'neither "\.\."'),
        ("hdfs:///batches/#LATEST", '"#"'),
        ("hdfs:///batches/a\0", "printed"),
    ],
)
def test_an_address_of_anything_else_is_refused_and_nobody_is_asked(
    address: str, says: str, places: BatchPlaces, files: Files
) -> None:
    with pytest.raises(InvalidInput, match=says):
        places.resolve(address, FIELD)
    assert files.asked == []


def test_what_is_not_there_is_not_found(places: BatchPlaces) -> None:
    with pytest.raises(NotFound, match=r"no file 'hdfs:///batches/b\.npz'"):
        places.resolve("hdfs:///batches/b.npz", FIELD)
    with pytest.raises(NotFound):
        places.resolve("hdfs:///batches/b/*.npz", FIELD)


def test_without_another_file_system_an_address_is_refused_with_how_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="is an address, and batches are read from the data folder"):
        BatchPlaces(tmp_path).resolve("hdfs:///batches/a.npz", FIELD)
