"""Paths in requests stay below the data folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from digits.datasets import data_folder
from digits.datasets.data_folder import resolve
from digits.datasets.plain_files import names_in, open_plain
from digits.errors import InvalidInput, NotFound
from digits.settings import Settings
from digits.v1 import digit_service_pb2
from server.pictures.request import file_from


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    (folder / "test").mkdir(parents=True)
    (folder / "test" / "five.png").write_bytes(b"picture")
    (tmp_path / "secret.txt").write_bytes(b"secret")
    return folder


def refusal(data_dir: Path, relative: str, folder_allowed: bool = False) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        resolve(data_dir, relative, "image_path", folder_allowed=folder_allowed)
    assert caught.value.field == "image_path"
    assert str(data_dir.parent) not in str(caught.value)
    return caught.value


def test_a_file_below_the_data_folder_is_found(data_dir: Path) -> None:
    assert resolve(data_dir, "test/five.png", "image_path").read_bytes() == b"picture"


def test_a_relative_data_folder_works(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(data_dir.parent)
    assert resolve(Path("data"), "./test//five.png", "image_path").is_absolute()


def test_a_data_folder_that_is_itself_a_link_works(data_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "mounted").symlink_to(data_dir)
    assert resolve(tmp_path / "mounted", "test/five.png", "image_path").read_bytes() == b"picture"


@pytest.mark.parametrize(
    ("relative", "problem"),
    [
        ("", "empty"),
        ("/etc/passwd", "relative"),
        ("../secret.txt", "relative"),
        ("test/../../secret.txt", "relative"),
        ("test/../test/five.png", "relative"),
        ("test\0/five.png", "NUL"),
        ("a" * 1025, "too long"),
        ("a" * 1000, "too long"),
        ("test", "folder"),
        (".", "folder"),
        ("\ud800.png", "usable"),
    ],
)
def test_a_malformed_or_escaping_path_is_refused(data_dir: Path, relative: str, problem: str) -> None:
    assert problem in refusal(data_dir, relative).problem


@pytest.mark.parametrize("target", ["secret.txt", "nothing-here", "."])
def test_a_link_out_of_the_data_folder_is_refused_whatever_lies_there(
    data_dir: Path, tmp_path: Path, target: str
) -> None:
    (data_dir / "link").symlink_to(tmp_path / target)
    assert "leads out" in refusal(data_dir, "link").problem


def test_a_path_through_a_linked_folder_is_refused(data_dir: Path, tmp_path: Path) -> None:
    (data_dir / "outside").symlink_to(tmp_path)
    assert "leads out" in refusal(data_dir, "outside/secret.txt").problem


def test_a_link_that_stays_inside_is_followed(data_dir: Path) -> None:
    (data_dir / "link.png").symlink_to("test/five.png")
    assert resolve(data_dir, "link.png", "image_path").read_bytes() == b"picture"


def test_links_in_a_circle_are_refused(data_dir: Path) -> None:
    (data_dir / "a").symlink_to("b")
    (data_dir / "b").symlink_to("a")
    refusal(data_dir, "a")


@pytest.mark.parametrize("relative", ["missing.png", "test/missing.png", "test/five.png/inner"])
def test_a_missing_file_is_not_found_by_the_name_in_the_request(data_dir: Path, relative: str) -> None:
    with pytest.raises(NotFound) as caught:
        resolve(data_dir, relative, "image_path")
    assert (caught.value.kind, caught.value.name) == ("file", relative)
    assert str(data_dir) not in str(caught.value)


def test_a_missing_data_folder_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        resolve(tmp_path / "nowhere", "mnist.npz", "images_batch_path")


def test_a_folder_is_returned_where_the_caller_allows_it(data_dir: Path) -> None:
    assert resolve(data_dir, "test", "images_batch_path", folder_allowed=True) == data_dir / "test"


def test_a_pipe_is_refused_without_waiting_for_it(data_dir: Path) -> None:
    os.mkfifo(data_dir / "pipe")
    assert "regular file" in refusal(data_dir, "pipe").problem


def test_a_link_to_a_device_is_refused(data_dir: Path) -> None:
    (data_dir / "zero").symlink_to("/dev/zero")
    refusal(data_dir, "zero", folder_allowed=True)


@pytest.mark.parametrize("name", ["test/five.png", "test"])
def test_what_nobody_may_read_is_refused_even_where_root_could(data_dir: Path, name: str) -> None:
    (data_dir / name).chmod(0)
    try:
        assert "readable" in refusal(data_dir, name, folder_allowed=True).problem
    finally:
        (data_dir / name).chmod(0o755)


@pytest.mark.parametrize("kind", ["a link", "a link above", "a pipe", "a folder"])
def test_what_takes_a_files_place_after_it_was_found_is_not_read(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """The race itself: it happens between the look and the opening, which nothing else could do each time."""
    found = resolve(data_dir, "test/five.png", "image_path")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "five.png").write_bytes(b"secret")
    replaced = found.parent if kind == "a link above" else found
    replaced.rename(tmp_path / "before")
    {
        "a link": lambda: found.symlink_to(tmp_path / "secret.txt"),
        "a link above": lambda: replaced.symlink_to(tmp_path / "outside"),
        "a pipe": lambda: os.mkfifo(found),
        "a folder": found.mkdir,
    }[kind]()
    monkeypatch.setattr(data_folder, "resolve", lambda *_: found)
    with pytest.raises(InvalidInput) as caught:
        data_folder.read(data_dir, "test/five.png", "image_path", 100)
    assert str(tmp_path) not in str(caught.value)


def test_a_device_is_not_read() -> None:
    with pytest.raises(OSError, match="regular file"):
        open_plain(Path("/dev/zero"))


def test_a_folder_that_became_a_link_is_not_listed(data_dir: Path, tmp_path: Path) -> None:
    found = resolve(data_dir, "test", "image_path", folder_allowed=True)
    found.rename(tmp_path / "before")
    found.symlink_to(tmp_path)
    with pytest.raises(OSError, match=r"[Nn]ot a directory|symbolic links"):
        names_in(found)


def test_a_picture_is_opened_so_that_no_link_takes_its_place(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (data_dir / "five.png").symlink_to(tmp_path / "secret.txt")
    monkeypatch.setattr(data_folder, "resolve", lambda *_: data_dir / "five.png")
    request = digit_service_pb2.ClassifyRequest(image_path="five.png")
    with pytest.raises(InvalidInput, match="usable path"):
        file_from(request, Settings(data_dir=data_dir))


def test_no_more_of_a_file_is_read_than_asked_for(data_dir: Path) -> None:
    assert data_folder.read(data_dir, "test/five.png", "image_path", 4) == b"pict"


@pytest.mark.parametrize("path", ["", " ", "\t\n"])
@pytest.mark.parametrize(("field", "allowed"), [("image_path", False), ("images_batch_path", True)])
def test_a_path_with_nothing_in_it_is_said_to_be_empty_by_its_field(
    tmp_path: Path, path: str, field: str, allowed: bool
) -> None:
    with pytest.raises(InvalidInput, match=f"^{field}: is empty; name a file") as refused:
        data_folder.resolve(tmp_path, path, field, folder_allowed=allowed)
    assert refused.value.field == field
