"""What is unambiguous in a batch is accepted and said, and what is wrong is said all at once."""

from __future__ import annotations

import io
import pathlib
from pathlib import Path

import numpy as np
import PIL
import pytest
from PIL import Image

from digits.datasets import findings
from digits.datasets.dataset import Dataset
from digits.errors import InvalidInput
from tests import batches_of_people as people
from tests.opened import opened as opened_within

LIMIT = 10_000_000


def opened(source: Path | bytes, transposed: bool = False) -> Dataset:
    return opened_within(source, LIMIT, transposed)


def refusal(source: Path | bytes) -> str:
    with pytest.raises(InvalidInput) as caught:
        opened(source)
    return caught.value.problem


def written(folder: Path, files: people.Files) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


AS_DOCUMENTED = opened(people.npz(**people.PARTS))
WITH_TEST = opened(people.npz(**people.PARTS, **people.TEST_PARTS))


@pytest.mark.parametrize("name", people.ACCEPTED)
def test_what_is_unambiguous_is_the_same_batch_and_said(name: str) -> None:
    data, says = people.ACCEPTED[name]
    batch = opened(data)
    assert batch.sha256() == AS_DOCUMENTED.sha256()
    assert batch.held_out().sha256() == AS_DOCUMENTED.held_out().sha256()
    assert says in "\n".join(batch.notes)


@pytest.mark.parametrize("name", people.ACCEPTED_FOLDERS)
def test_a_folder_is_used_or_said_file_by_file(tmp_path: Path, name: str) -> None:
    files, says = people.ACCEPTED_FOLDERS[name]
    batch = opened(written(tmp_path, files))
    assert batch.sha256() == WITH_TEST.sha256()
    assert batch.held_out().sha256() == WITH_TEST.held_out().sha256()
    assert says in "\n".join(batch.notes)


@pytest.mark.parametrize("name", people.REFUSED)
def test_everything_that_is_wrong_is_said_at_once(name: str) -> None:
    data, says = people.REFUSED[name]
    problem = refusal(data)
    assert [said for said in says if said not in problem] == [], problem


@pytest.mark.parametrize("name", people.REFUSED_FOLDERS)
def test_everything_that_is_wrong_in_a_folder_is_said_at_once(tmp_path: Path, name: str) -> None:
    files, says = people.REFUSED_FOLDERS[name]
    problem = refusal(written(tmp_path, files))
    assert [said for said in says if said not in problem] == [], problem


def test_each_line_that_is_said_to_be_right_makes_a_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for at, picture in enumerate(people.X):
        path = tmp_path / str(people.Y[at]) / f"{at}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(picture).save(path)
    pictures = findings.PICTURES.partition(": ")[2].replace("FOLDER", str(tmp_path))
    lines = {"batch.csv": findings.CSV.partition(", x uint8")[0], "batch.npz": pictures}
    for name, line in lines.items():
        exec(line, {"numpy": np, "x": people.X, "y": people.Y, "PIL": PIL, "pathlib": pathlib})  # noqa: S102
        assert opened(tmp_path / name).train_count == AS_DOCUMENTED.train_count


def test_a_batch_as_documented_has_nothing_to_say() -> None:
    assert list(AS_DOCUMENTED.notes) == list(WITH_TEST.notes) == []


@pytest.mark.parametrize("dtype", ["uint8", "bool", "int64", "float32"])
@pytest.mark.parametrize("paper", [0, 1])
def test_pixels_of_only_0_and_1_are_scaled_and_white_paper_is_inverted(paper: int, dtype: str) -> None:
    batch = opened(people.npz(x_train=(people.INK ^ paper).astype(dtype), y_train=people.Y))
    assert batch.sha256() == opened(people.npz(x_train=people.INK * 255, y_train=people.Y)).sha256()
    says = "0 to 1 taken as 0 to 255" if dtype == "float32" else "only 0 and 1, taken as 0 and 255"
    assert says in "".join(batch.notes)


def test_transposed_pictures_are_turned_if_the_caller_says_so() -> None:
    turned = people.npz(x_train=people.X.transpose(0, 2, 1), y_train=people.Y)
    assert opened(turned).sha256() != AS_DOCUMENTED.sha256()
    assert opened(turned, transposed=True).sha256() == AS_DOCUMENTED.sha256()
    assert opened(turned, transposed=True).notes == ["x_train of the upload: rows and columns swapped back"]


def test_emnist_that_is_turned_is_not_asked_about(tmp_path: Path) -> None:
    files, _ = people.ACCEPTED_FOLDERS["EMNIST"]
    assert "send orientation" not in "\n".join(opened(written(tmp_path, files), transposed=True).notes)


def test_pixels_that_are_unlike_those_that_were_looked_at_end_the_reading() -> None:
    x, y = np.concatenate([people.X] * 250), np.concatenate([people.Y] * 250)
    unlike = {"white and dark": 255 - x[:2200], "NaN": people.X[:1] * np.nan, "holds -": people.X[:1] - 1.0}
    for says, last in unlike.items():
        labels = np.concatenate([y, y[: len(last)]])
        file = io.BytesIO()
        np.savez(file, x_train=np.concatenate([x, last]), y_train=labels)
        batch = opened_within(file.getvalue(), 100 * LIMIT)
        with pytest.raises(InvalidInput, match=says):
            batch.sha256()


def test_an_answer_is_short_however_much_is_wrong(tmp_path: Path) -> None:
    files = {f"{'x' * 200}{number}.npz": people.npz(x_train=people.X) for number in range(100)}
    assert len(refusal(written(tmp_path, files))) < 4000


def test_notes_are_few_however_many_files_there_are(tmp_path: Path) -> None:
    files = {f"{number}.npz": people.npz(X=np.roll(people.X, number, 0), y=people.Y) for number in range(40)}
    batch = opened(written(tmp_path, files))
    assert "X of 0.npz, X of 1.npz, X of 10.npz, X of 11.npz and 36 more: taken as x_train" in batch.notes
    assert len(batch.notes) == 2
