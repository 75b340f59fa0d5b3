"""A batch of labelled images is checked at once and streams the same images every time."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from digits.datasets import dataset
from digits.datasets.dataset import Dataset, open_dataset
from digits.datasets.shards import Images
from digits.errors import InvalidInput

LIMIT = 10_000_000
Array = NDArray[Any]


def numbered(count: int, first: int = 0) -> Array:
    """Images that differ from each other: each holds its number."""
    pixels = np.zeros((count, 28, 28), np.uint8)
    numbers = np.arange(first, first + count)
    pixels[:, 0, 0], pixels[:, 0, 1] = numbers // 256, numbers % 256
    return pixels


def numbers_of(images: Images) -> list[int]:
    return [int(number) for number in images.pixels[:, 0].astype(int) * 256 + images.pixels[:, 1]]


def digits_of(count: int) -> Array:
    return (np.arange(count) % 10).astype(np.uint8)


def arrays(count: int = 40, test_count: int = 10, **changed: Any) -> dict[str, Any]:
    good = {"x_train": numbered(count), "y_train": digits_of(count)}
    if test_count:
        good |= {"x_test": numbered(test_count, 5000), "y_test": digits_of(test_count)}
    return {name: value for name, value in (good | changed).items() if value is not None}


def npz(**contents: Any) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **contents)
    return file.getvalue()


def opened(source: Path | bytes, transposed: bool = False) -> Dataset:
    return open_dataset(source, "images_batch", LIMIT, transposed)


def refusal(source: Path | bytes, limit: int = LIMIT) -> str:
    with pytest.raises(InvalidInput) as caught:
        open_dataset(source, "images_batch", limit)
    assert caught.value.field == "images_batch"
    return caught.value.problem


def trained(batch: Dataset, seed: int = 1) -> list[int]:
    return [number for images in batch.train(seed) for number in numbers_of(images)]


def write_idx(folder: Path, part: str, pixels: Array, labels: Array, write: Callable[[bytes], bytes]) -> None:
    suffix = "" if write is bytes else ".gz"
    image_head, label_head = (
        struct.pack(">IIII", 0x803, len(pixels), 28, 28),
        struct.pack(">II", 0x801, len(labels)),
    )
    (folder / f"{part}-images-idx3-ubyte{suffix}").write_bytes(write(image_head + pixels.tobytes()))
    (folder / f"{part}-labels-idx1-ubyte{suffix}").write_bytes(write(label_head + labels.tobytes()))


def test_an_npz_is_a_batch_with_its_test_arrays_held_out() -> None:
    batch = opened(npz(**arrays()))
    assert (batch.train_count, batch.held_out_count) == (40, 10)
    assert sorted(trained(batch)) == list(range(40))
    assert numbers_of(batch.held_out()) == list(range(5000, 5010))
    np.testing.assert_array_equal(batch.held_out().labels, digits_of(10))


def test_a_file_and_its_bytes_are_the_same_batch(tmp_path: Path) -> None:
    data = npz(**arrays())
    (tmp_path / "batch.npz").write_bytes(data)
    assert trained(opened(tmp_path / "batch.npz")) == trained(opened(data))


def test_each_image_keeps_its_label() -> None:
    for images in opened(npz(**arrays(300))).train(3):
        assert [number % 10 for number in numbers_of(images)] == list(images.labels)


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64", ">i4", "uint16"])
def test_labels_may_be_integers_of_any_kind(dtype: str) -> None:
    batch = opened(npz(**arrays(y_train=digits_of(40).astype(dtype))))
    assert next(batch.train(0)).labels.dtype == np.uint8


def test_uncompressed_arrays_are_read_too() -> None:
    file = io.BytesIO()
    np.savez(file, **arrays())
    assert opened(file.getvalue()).train_count == 40


def test_the_same_seed_gives_the_same_order_and_another_seed_another() -> None:
    batch = opened(npz(**arrays(500)))
    assert trained(batch, 7) == trained(batch, 7)
    assert trained(batch, 7) != trained(batch, 8)
    assert trained(batch, -1) == trained(batch, -1)
    assert trained(batch, 7) != list(range(500))


def test_images_are_shuffled_within_a_bounded_buffer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset, "SHUFFLE_IMAGES", 100)
    monkeypatch.setattr(dataset, "CHUNK_IMAGES", 30)
    order = trained(opened(npz(**arrays(250))))
    assert [sorted(order[start : start + 100]) for start in (0, 100, 200)] == [
        list(range(100)),
        list(range(100, 200)),
        list(range(200, 250)),
    ]


def test_without_test_arrays_every_11th_image_is_held_out_and_never_trained_on() -> None:
    batch = opened(npz(**arrays(100, test_count=0)))
    held_out = numbers_of(batch.held_out())
    assert held_out == list(range(0, 100, 11))
    assert len(set(batch.held_out().labels)) == 10
    assert sorted(trained(batch) + held_out) == list(range(100))
    assert (batch.train_count, batch.held_out_count) == (90, 10)


def test_a_folder_of_shards_is_one_batch(tmp_path: Path) -> None:
    for index in range(3):
        part = arrays(x_train=numbered(40, 40 * index), test_count=10 if index == 1 else 0)
        (tmp_path / f"part-{index}.npz").write_bytes(npz(**part))
    batch = opened(tmp_path)
    assert (batch.train_count, batch.held_out_count) == (120, 10)
    assert sorted(trained(batch)) == list(range(120))
    assert trained(batch, 2) == trained(opened(tmp_path), 2)


def test_the_split_of_a_folder_counts_through_its_shards(tmp_path: Path) -> None:
    for index in range(3):
        part = arrays(x_train=numbered(40, 40 * index), test_count=0)
        (tmp_path / f"part-{index}.npz").write_bytes(npz(**part))
    assert numbers_of(opened(tmp_path).held_out()) == list(range(0, 120, 11))


@pytest.mark.parametrize("write", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_folder_of_idx_files_is_the_same_batch_as_the_npz(
    tmp_path: Path, write: Callable[[bytes], bytes]
) -> None:
    same = arrays()
    write_idx(tmp_path, "train", same["x_train"], same["y_train"], write)
    write_idx(tmp_path, "t10k", same["x_test"], same["y_test"], write)
    assert opened(tmp_path).sha256() == opened(npz(**same)).sha256()
    assert opened(tmp_path).held_out().sha256() == opened(npz(**same)).held_out().sha256()


def test_the_checksum_is_that_of_the_training_images_in_their_order() -> None:
    good = arrays(test_count=10)
    whole = Images(good["x_train"].reshape(-1, 784), good["y_train"])
    assert opened(npz(**good)).sha256() == whole.sha256()
    other = arrays(y_train=np.flip(good["y_train"]))
    assert opened(npz(**other)).sha256() != whole.sha256()


BAD_ARRAYS: list[tuple[dict[str, Any], str]] = [
    ({"x_train": None}, "x_train of the upload is missing"),
    ({"y_train": None}, "y_train of the upload is missing"),
    ({"y_test": None}, "y_test of the upload is missing"),
    (
        {"x_train": numbered(40).astype(object)},
        "x_train of the upload cannot be read: it holds pickled objects",
    ),
    (
        {"y_train": digits_of(40).astype(object)},
        "y_train of the upload cannot be read: it holds pickled objects",
    ),
    ({"x_train": numbered(40).astype("U3")}, "x_train of the upload must be numbers"),
    ({"x_train": numbered(40) * 1j}, "x_train of the upload must be numbers"),
    ({"x_train": np.full((40, 28, 28), np.nan)}, "x_train of the upload holds NaN"),
    ({"x_train": numbered(40) / 20 - 1}, "holds -1 to 0.95; allowed are 0"),
    ({"x_train": numbered(40).astype(np.int16) * 100}, "holds 0 to 3900; allowed are 0"),
    ({"x_train": np.zeros((40, 28, 28), np.uint8)}, "x_train of the upload shows nothing"),
    ({"x_train": numbered(40).transpose(1, 2, 0).copy()}, "x_train = x_train.transpose(2, 0, 1)"),
    ({"x_train": np.zeros((40, 28, 27), np.uint8)}, "shape (N, 28, 28)"),
    ({"x_train": np.uint8(3)}, "shape (N, 28, 28)"),
    ({"x_train": np.asfortranarray(numbered(40))}, "Fortran"),
    ({"x_test": np.zeros((10, 32, 32), np.uint8)}, "x_test of the upload must have the shape"),
    ({"x_train": numbered(0), "y_train": digits_of(0)}, "holds no image"),
    ({"x_test": numbered(0), "y_test": digits_of(0)}, "x_test of the upload holds no image"),
    ({"y_train": digits_of(39)}, "holds 40 images but y_train of the upload 39 labels"),
    ({"y_train": digits_of(40).reshape(-1, 2)}, "shape (N,)"),
    ({"y_train": np.zeros((40, 10), int)}, "row 0 has not"),
    ({"y_train": np.ones((40, 10), int)}, "row 0 has not"),
    ({"y_train": digits_of(40) / 2}, "label 1 is 0.5"),
    ({"y_train": digits_of(40) + np.nan}, "label 0 is nan"),
    ({"y_train": digits_of(40) > 3}, "must be integers"),
    ({"y_train": np.array(["1"] * 40)}, "must be integers"),
    ({"y_train": np.where(np.arange(40) == 7, 10, 1)}, "label 7 is 10"),
    ({"y_train": np.where(np.arange(40) == 7, -1, 1)}, "label 7 is -1"),
    ({"y_train": np.where(np.arange(40) == 7, 258, 1)}, "label 7 is 258"),
    ({"y_test": np.full(10, 11)}, "y_test of the upload must hold the digits"),
    ({"y_train": np.full(40, 3)}, "all the same"),
]


@pytest.mark.parametrize(("changed", "problem"), BAD_ARRAYS, ids=range(len(BAD_ARRAYS)))
def test_a_batch_with_a_bad_array_is_refused_by_the_arrays_name(
    changed: dict[str, Any], problem: str
) -> None:
    assert problem in refusal(npz(**arrays(**changed)))


def test_what_would_be_trained_on_must_hold_two_classes_after_the_split() -> None:
    two = {"x_train": numbered(2), "y_train": np.array([3, 4])}
    assert "all the same" in refusal(npz(**two))


@pytest.mark.parametrize("data", [b"", b"x_train", b"PK\x03\x04" + bytes(100), npz(**arrays())[:-30]])
def test_what_is_not_a_whole_zip_is_refused(data: bytes) -> None:
    assert "not an npz file" in refusal(data)


def test_an_array_file_alone_is_refused() -> None:
    file = io.BytesIO()
    np.save(file, numbered(40))
    assert "not an npz file" in refusal(file.getvalue())


def test_a_zip_bomb_is_refused_by_its_declared_size() -> None:
    bomb = npz(x_train=np.zeros((20_000, 28, 28), np.uint8), y_train=digits_of(20_000))
    assert len(bomb) < 100_000
    assert "at most 10,000,000 are allowed" in refusal(bomb)


def test_a_folder_is_bounded_by_the_sum_of_its_shards(tmp_path: Path) -> None:
    for index in range(3):
        part = arrays(x_train=numbered(100, 100 * index), y_train=digits_of(100), test_count=0)
        (tmp_path / f"{index}.npz").write_bytes(npz(**part))
    assert "2.npz" in refusal(tmp_path, limit=200_000)


def rezipped(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def unzipped(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize(
    "damage",
    [
        lambda array: array[:-1],
        lambda array: array + b"\0",
        lambda array: array[:5],
        lambda array: b"",
        lambda array: b"\x93NUMPY\x09\x00" + array[8:],
        lambda array: b"\x93NUMPY\x02\x00\xff\xff\xff\x7f" + array[12:],
        lambda array: array[:10] + b"{'descr': __import__('os')".ljust(118) + array[128:],
        lambda array: array.replace(b"(40, 28, 28)", b"(-1, 28, 28)"),
        lambda array: array.replace(b"(40, 28, 28)", b"(1e9, 28, 8)"),
    ],
    ids=range(9),
)
def test_an_array_whose_header_is_false_is_refused(damage: Callable[[bytes], bytes]) -> None:
    members = unzipped(npz(**arrays()))
    assert "x_train" in refusal(rezipped(members | {"x_train.npy": damage(members["x_train.npy"])}))


def test_members_packed_in_an_unbounded_way_are_refused() -> None:
    packed = rezipped(unzipped(npz(**arrays())), zipfile.ZIP_LZMA)
    assert "only stored and deflated" in refusal(packed)


def test_an_encrypted_member_is_refused() -> None:
    data = bytearray(rezipped(unzipped(npz(**arrays())), zipfile.ZIP_STORED))
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.find(signature) + flags] |= 1
    assert "encrypted" in refusal(bytes(data))


def test_a_zip_of_a_multitude_of_files_is_refused() -> None:
    assert "more than" in refusal(rezipped({str(index): b"" for index in range(10_001)}))


def test_a_damaged_member_is_refused_when_it_is_read() -> None:
    data = bytearray(rezipped(unzipped(npz(**arrays(9000))), zipfile.ZIP_STORED))
    data[data.find(b"x_train.npy") + 8900 * 784] ^= 1
    batch = opened(bytes(data))
    for read in (lambda: trained(batch), batch.sha256):
        with pytest.raises(InvalidInput, match=r"x_train.*CRC"):
            read()


def test_damaged_labels_are_refused_at_once() -> None:
    data = bytearray(rezipped(unzipped(npz(**arrays())), zipfile.ZIP_STORED))
    data[data.find(b"y_train.npy") + 150] ^= 1
    assert "y_train of the upload cannot be read: Bad CRC-32" in refusal(bytes(data))


def test_a_damaged_test_member_is_refused_when_it_is_read() -> None:
    data = bytearray(rezipped(unzipped(npz(**arrays(test_count=9000))), zipfile.ZIP_STORED))
    data[data.find(b"x_test.npy") + 8900 * 784] ^= 1
    with pytest.raises(InvalidInput, match=r"x_test.*CRC"):
        opened(bytes(data)).held_out()


def test_a_file_that_vanished_after_the_check_is_refused_when_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "batch.npz").write_bytes(npz(**arrays()))
    batch = opened(tmp_path / "batch.npz")
    (tmp_path / "batch.npz").unlink()
    with pytest.raises(InvalidInput, match="No such file"):
        trained(batch)


def test_a_damaged_shard_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(npz(**arrays()))
    (tmp_path / "b.npz").write_bytes(b"damaged")
    assert "b.npz is not an npz file" in refusal(tmp_path)


def test_a_shard_without_arrays_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(npz(**arrays()))
    (tmp_path / "b.npz").write_bytes(npz(pictures=numbered(4)))
    assert "x_train of b.npz is missing" in refusal(tmp_path)


def test_a_folder_without_a_batch_is_refused(tmp_path: Path) -> None:
    (tmp_path / "readme.txt").write_text("nothing here")
    assert "holds neither" in refusal(tmp_path)


def test_a_link_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "outside.npz").write_bytes(npz(**arrays()))
    (tmp_path / "batch").mkdir()
    (tmp_path / "batch" / "a.npz").symlink_to(tmp_path / "outside.npz")
    assert "leads out" in refusal(tmp_path / "batch")


def test_a_link_that_stays_in_the_folder_is_followed(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "a.npz").write_bytes(npz(**arrays()))
    (tmp_path / "batch.npz").symlink_to("kept/a.npz")
    assert opened(tmp_path).train_count


def test_a_folder_that_became_a_link_after_it_was_found_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.npz").write_bytes(npz(**arrays()))
    (tmp_path / "batch").symlink_to("elsewhere")
    assert "the folder cannot be read" in refusal(tmp_path / "batch")


@pytest.mark.parametrize("packed", [False, True])
def test_a_link_in_a_files_place_after_it_was_found_is_not_read(tmp_path: Path, packed: bool) -> None:
    """As the trainer does, who opens what the server looked at."""
    write_idx(tmp_path, "train", numbered(40), digits_of(40), gzip.compress if packed else bytes)
    batch = opened(tmp_path)
    for file in list(tmp_path.iterdir()):
        moved = file.rename(tmp_path.parent / f"{tmp_path.name}-{file.name}")
        file.symlink_to(moved)
    with pytest.raises(InvalidInput, match="cannot be read"):
        batch.sha256()


@pytest.mark.parametrize(
    ("part", "damage", "problem"),
    [
        ("train-images-idx3-ubyte", lambda data: data[:-1], "not as long"),
        ("train-images-idx3-ubyte", lambda data: data + b"\0", "not as long"),
        ("train-images-idx3-ubyte", lambda data: data[:7], "shorter"),
        ("train-images-idx3-ubyte", lambda data: b"\0\0\x0a\3" + data[4:], "not an IDX file"),
        ("train-images-idx3-ubyte", lambda data: data[:12] + b"\0\0\0\x20" + data[16:], "(40, 28, 32)"),
        ("train-images-idx3-ubyte", lambda data: data[:4] + b"\xff" * 4 + data[8:], "not as long"),
        ("train-labels-idx1-ubyte", lambda data: data[:-1], "not as long"),
        ("train-labels-idx1-ubyte", lambda data: data + b"\0", "not as long"),
        ("train-labels-idx1-ubyte", lambda data: data[:-1] + b"\x0a", "0 to 9"),
        ("train-labels-idx1-ubyte", lambda data: data[:4] + b"\0\0\0\1" + data[8:9], "1 labels"),
        ("train-labels-idx1-ubyte", None, "train-labels-idx1-ubyte is missing"),
        ("t10k-images-idx3-ubyte", None, "t10k-images-idx3-ubyte is missing"),
    ],
)
def test_a_folder_with_a_bad_idx_file_is_refused(
    tmp_path: Path, part: str, damage: Callable[[bytes], bytes] | None, problem: str
) -> None:
    write_idx(tmp_path, "train", numbered(40), digits_of(40), bytes)
    write_idx(tmp_path, "t10k", numbered(10), digits_of(10), bytes)
    file = tmp_path / part
    if damage is None:
        file.unlink()
    else:
        file.write_bytes(damage(file.read_bytes()))
    assert problem in refusal(tmp_path)


def test_a_damaged_gzip_is_refused_when_it_is_read(tmp_path: Path) -> None:
    write_idx(tmp_path, "train", numbered(9000), digits_of(9000), gzip.compress)
    file = tmp_path / "train-images-idx3-ubyte.gz"
    file.write_bytes(file.read_bytes()[:-12])
    batch = opened(tmp_path)
    with pytest.raises(InvalidInput, match=r"ubyte[.]gz cannot be read"):
        trained(batch)


def test_a_megabyte_that_unpacks_to_a_gigabyte_is_refused_before_it_is_unpacked() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in (
            ("x_train", np.zeros((60_000, 28, 28), np.uint8)),
            ("y_train", digits_of(60_000)),
        ):
            with archive.open(f"{name}.npy", "w") as member:
                np.save(member, array)
    assert "times as many are allowed: save it without compression" in refusal(file.getvalue(), 1 << 30)


def test_a_packed_csv_that_unpacks_to_a_thousandfold_is_refused(tmp_path: Path) -> None:
    line = b"1" + b",0" * 784 + b"\n"
    (tmp_path / "zeros.csv.gz").write_bytes(gzip.compress(line * 45_000))
    assert "times as many are allowed" in refusal(tmp_path / "zeros.csv.gz", 1 << 30)
