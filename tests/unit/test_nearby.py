"""A path that is nearly right is answered with the one that was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from digits.datasets.data_folder import resolve
from digits.errors import InvalidInput, NotFound


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    (folder / "test" / "data").mkdir(parents=True)
    (folder / "test" / "data" / "n5.png").write_bytes(b"")
    (folder / "mnist.npz").write_bytes(b"")
    (folder / ".secret.npz").write_bytes(b"")
    (tmp_path / "outside.npz").write_bytes(b"")
    (folder / "link.npz").symlink_to(tmp_path / "outside.npz")
    return folder


NEARLY = {
    "data/mnist.npz": "mnist.npz",
    "./data/mnist.npz": "mnist.npz",
    "MNIST.npz": "mnist.npz",
    "mnist.NPZ": "mnist.npz",
    "mnist.npz ": "mnist.npz",
    "'mnist.npz'": "mnist.npz",
    "mnits.npz": "mnist.npz",
    "file://mnist.npz": "mnist.npz",
    "file:///home/me/digits/data/mnist.npz": "mnist.npz",
    "file:///home/me/test/data/n5%2Epng": "test/data/n5.png",
    "/home/me/digits/data/test/data/n5.png": "test/data/n5.png",
    "../data/mnist.npz": "mnist.npz",
    "test\\data\\n5.png": "test/data/n5.png",
    "TEST/Data/N5.PNG": "test/data/n5.png",
    "test/data/n5.jpg": "test/data/n5.png",
    "test/data/n5": "test/data/n5.png",
    "mnist": "mnist.npz",
}


@pytest.mark.parametrize("asked", NEARLY)
def test_a_path_that_is_nearly_right_names_the_one_that_was_meant(data_dir: Path, asked: str) -> None:
    with pytest.raises((NotFound, InvalidInput)) as caught:
        resolve(data_dir, asked, "image_path")
    assert f"did you mean '{NEARLY[asked]}'?" in str(caught.value)
    assert str(data_dir) not in str(caught.value)


@pytest.mark.parametrize(
    "asked", ["outside.npz", "link", "../outside.npz", "link.npz ", ".secret", "nobody.txt", "/", "  "]
)
def test_nothing_outside_and_nothing_hidden_is_ever_named(data_dir: Path, asked: str) -> None:
    with pytest.raises((NotFound, InvalidInput)) as caught:
        resolve(data_dir, asked, "image_path")
    assert "did you mean" not in str(caught.value)


@pytest.mark.parametrize("size", [100, 100_000])
@pytest.mark.parametrize(
    "start", ["data:image/png;base64,iVBORw0KGgo", "iVBORw0KGgoAAAANSUhEUgAAABwAAAAcCAAAAA"]
)
def test_a_path_that_is_a_file_in_base64_says_how_to_send_it(data_dir: Path, start: str, size: int) -> None:
    with pytest.raises(InvalidInput, match='holds a file and not a path; send the bytes as "image"'):
        resolve(data_dir, start.ljust(size, "A"), "image_path")


def test_what_is_far_off_is_answered_with_what_there_is(data_dir: Path) -> None:
    with pytest.raises(NotFound, match=r"^no file 'zebra'; there is link\.npz, mnist\.npz, test/$"):
        resolve(data_dir, "zebra", "image_path")
    for number in range(9):
        (data_dir / f"a{number}").write_bytes(b"")
    with pytest.raises(NotFound, match=r"; there is a0, a1, a2, a3, a4, a5, …$"):
        resolve(data_dir, "zebra", "image_path")
