"""Files that are not what they say, or unpack to more than they may, are refused."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from digits.errors import InvalidInput
from tests.unit.dataset_bench import (
    arrays,
    digits_of,
    npz,
    numbered,
    opened,
    refusal,
    trained,
    write_idx,
)


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
