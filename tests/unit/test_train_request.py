"""A job's trainer opens the batch that its request was accepted for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from digits.datasets.dataset import open_upload
from digits.datasets.places import BatchPlaces
from digits.errors import InvalidInput
from digits.jobs.train_request import FILES_READ_AT_FIRST, open_batch, spec_of
from digits.v1 import digit_service_pb2 as pb
from digits.v1 import training_pb2
from tests import batches_of_people as people
from tests import parquet_batches
from tests.parquet_thread import read_in_threads

LIMIT = 1 << 24
TURNED = people.npz(x_train=people.X.transpose(0, 2, 1), y_train=people.Y)
AS_DOCUMENTED = open_upload(people.npz(**people.PARTS), "images_batch", LIMIT).sha256()


@pytest.mark.parametrize("upload", [None, TURNED], ids=["path", "upload"])
@pytest.mark.parametrize("orientation", [training_pb2.AS_IS, training_pb2.TRANSPOSED])
def test_the_trainer_turns_what_the_request_says_is_transposed(
    tmp_path: Path, upload: bytes | None, orientation: training_pb2.Orientation
) -> None:
    (tmp_path / "emnist.npz").write_bytes(TURNED)
    request = pb.TrainRequest(images_batch_path="emnist.npz", orientation=orientation)
    batch = open_batch(spec_of(request, "alice"), upload, BatchPlaces(tmp_path), LIMIT)
    assert (batch.sha256() == AS_DOCUMENTED) == (orientation == training_pb2.TRANSPOSED)


def test_a_job_holds_out_as_many_images_as_the_release_did_that_accepted_it(tmp_path: Path) -> None:
    np.savez(tmp_path / "plain.npz", x_train=np.concatenate([people.X] * 10), y_train=np.tile(people.Y, 10))
    spec = spec_of(pb.TrainRequest(images_batch_path="plain.npz"), "alice")
    assert spec.max_held_out == 50_000
    count = open_batch(spec, None, BatchPlaces(tmp_path), LIMIT).held_out_count
    spec.max_held_out = count // 2
    assert open_batch(spec, None, BatchPlaces(tmp_path), LIMIT).held_out_count <= count // 2
    spec.max_held_out = 0
    assert open_batch(spec, None, BatchPlaces(tmp_path), LIMIT).held_out_count == count


MANY = np.zeros((22_000, 28, 28), np.uint8)
NO_DIGITS = people.Y + np.uint8(5)
KINDS = {
    "npz": lambda x, y: people.npz(x_train=x, y_train=y),
    "csv": people.csv,
    "parquet": lambda x, y: parquet_batches.of([*x.reshape(len(x), 784)], y),
}


@pytest.mark.parametrize("kind", KINDS)
def test_of_many_shards_whoever_asks_waits_for_the_headers_and_the_trainer_names_shard_and_row(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str
) -> None:
    read_in_threads(monkeypatch)
    folder, written = tmp_path / "shards", KINDS[kind]
    folder.mkdir()
    for number in range(FILES_READ_AT_FIRST + 2):
        labels = people.Y if number <= FILES_READ_AT_FIRST else NO_DIGITS
        # Other pictures in each, else all but one were left out.
        shown = written(people.pictures(people.COUNT, seed=number), labels)
        (folder / f"part-{number:02d}.{kind}").write_bytes(shown)
    request, places = pb.TrainRequest(images_batch_path="shards"), BatchPlaces(tmp_path)
    accepted = open_batch(request, None, places, LIMIT)
    assert accepted.notes == [f"part-16.{kind} and 1 more: checked when read"]
    # Labels run from 5 to 14: the sixth is none.
    with pytest.raises(InvalidInput, match=rf"part-17\.{kind}.* 0 to 9.*(label 5|image 6)"):
        open_batch(spec_of(request, "alice"), None, places, LIMIT)


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("part-17.npz", people.npz(x_train=people.X[:, :14], y_train=people.Y), "must have the shape"),
        ("part-17.npz", people.npz(x_train=people.X, y_train=people.Y[:-1]), "images but"),
        ("part-17.npz", b"PK\3\4", "is not an npz file"),
        (
            "part-17.npz",
            people.npz(x_train=MANY, y_train=MANY[:, 0, 0]),
            "unpacks to",
        ),
    ],
)
def test_of_many_shards_a_header_that_is_wrong_is_refused_at_once(
    tmp_path: Path, name: str, content: bytes, problem: str
) -> None:
    folder = tmp_path / "shards"
    folder.mkdir()
    for number in range(FILES_READ_AT_FIRST + 1):
        shard = people.npz(x_train=people.pictures(people.COUNT, seed=number), y_train=people.Y)
        (folder / f"part-{number:02d}.npz").write_bytes(shard)
    (folder / name).write_bytes(content)
    with pytest.raises(InvalidInput, match=problem) as refused:
        open_batch(pb.TrainRequest(images_batch_path="shards"), None, BatchPlaces(tmp_path), LIMIT)
    assert name in refused.value.problem


def test_of_many_shards_of_parquet_the_columns_and_their_sizes_are_looked_at(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    read_in_threads(monkeypatch)
    folder = tmp_path / "shards"
    folder.mkdir()
    for number in range(FILES_READ_AT_FIRST + 1):
        shard = KINDS["parquet"](people.pictures(people.COUNT, seed=number), people.Y)
        (folder / f"part-{number:02d}.parquet").write_bytes(shard)
    request, places = pb.TrainRequest(images_batch_path="shards"), BatchPlaces(tmp_path)
    with pytest.raises(InvalidInput, match="unpacks to"):
        open_batch(request, None, places, 785 * people.COUNT * FILES_READ_AT_FIRST)
    strange = parquet_batches.written(pd.DataFrame({"weight": [1.0, 2.0]}))
    (folder / "part-16.parquet").write_bytes(strange)
    with pytest.raises(InvalidInput, match="in part-16"):
        open_batch(request, None, places, LIMIT)


def test_sixteen_shards_are_read_whole_and_of_more_something_is_to_train_on(tmp_path: Path) -> None:
    folder = tmp_path / "shards"
    folder.mkdir()
    request, places = pb.TrainRequest(images_batch_path="shards"), BatchPlaces(tmp_path)
    for number in range(FILES_READ_AT_FIRST):
        pictures = people.pictures(people.COUNT, seed=number)
        (folder / f"part-{number:02d}.npz").write_bytes(people.npz(x_test=pictures, y_test=people.Y))
    with pytest.raises(InvalidInput, match="nothing to train on"):
        open_batch(request, None, places, LIMIT)
    (folder / "part-16.npz").write_bytes(people.npz(x_test=people.X, y_test=people.Y))
    with pytest.raises(InvalidInput, match="nothing to train on"):
        open_batch(request, None, places, LIMIT)
    (folder / "part-16.npz").write_bytes(people.npz(x_train=people.X, y_train=people.Y))
    assert open_batch(request, None, places, LIMIT).notes == ["part-16.npz: checked when read"]
