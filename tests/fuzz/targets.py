"""What reads strangers' bytes, each with the bytes that it is given and what it may do with them."""

from __future__ import annotations

import io
import json
import struct
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pytest
from google.protobuf.message import DecodeError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from digits.datasets.places import BatchPlaces
from digits.errors import DigitsError
from digits.feedback.labels import Labels
from digits.imaging.candidates import candidates
from digits.jobs.admission import Admission
from digits.models.registry import Registry
from digits.settings import Settings
from digits.v1 import digit_service_pb2 as pb
from rest_bridge.app import create_app
from server.pictures import messages
from server.pictures.request import file_from
from tests import parquet_batches
from tests.fuzz.arrays import npz
from tests.fuzz.damage import damaged
from tests.opened import opened
from tests.parquet_thread import read_in_threads
from tests.unit.job_bench import Bench
from tests.unit.pictures import drawn, encoded
from tests.unit.recorded_service import recorded_service

_MAX_BYTES = 1 << 24
Feed = Callable[[bytes], None]


@dataclass(frozen=True)
class Target:
    """`feed` is entered once; what it raises for some bytes is a fault."""

    files: st.SearchStrategy[bytes]
    feeding: Callable[[], AbstractContextManager[Feed]]


def _pictures() -> list[bytes]:
    ink = Image.fromarray(drawn(4, 64))
    exif = Image.Exif()
    exif[0x0112] = 6
    return [
        encoded(ink),
        encoded(ink.convert("RGBA")),
        encoded(ink.quantize(4), transparency=0),
        encoded(Image.fromarray(drawn(4, 40).astype(np.uint16) * 257)),
        encoded(ink.convert("RGB"), "JPEG", exif=exif),
        encoded(ink.convert("RGB"), "JPEG", progressive=True),
        encoded(ink.convert("CMYK"), "JPEG"),
        encoded(ink, "GIF"),
        encoded(ink, "BMP"),
        encoded(ink, "TIFF"),
        encoded(ink.convert("RGB"), "TIFF", compression="tiff_lzw", exif=exif),
        encoded(Image.fromarray(drawn(4, 40) / np.float32(255)), "TIFF"),
        encoded(ink, "WEBP", lossless=True),
        encoded(ink, "WEBP"),
    ]


def _npz_files() -> list[bytes]:
    x, y = np.stack([drawn(n % 10, 28) for n in range(24)]), np.arange(24) % 10
    made = []
    for save, arrays in (
        (np.savez, {"x_train": x, "y_train": y}),
        (np.savez_compressed, {"x": x / 255.0, "y": y}),
    ):
        file = io.BytesIO()
        save(file, **arrays)  # type: ignore[operator]
        made.append(file.getvalue())
    return made


def _csv_files() -> list[bytes]:
    rows = [[n % 10, *drawn(n % 10, 28).ravel()] for n in range(12)]
    plain = "".join(",".join(map(str, row)) + "\n" for row in rows)
    heading = "label," + ",".join(f"pixel{n}" for n in range(784)) + "\n"
    return [plain.encode(), (heading + plain).encode(), plain.replace("\n", ".0\r\n").encode()]


def _parquet_files() -> list[bytes]:
    x = np.stack([drawn(n % 10, 28) for n in range(12)])
    y, raw = np.arange(12) % 10, [image.tobytes() for image in x]
    files = [encoded(Image.fromarray(image)) for image in x]
    few = {"row_group_size": 5, "store_schema": False}
    return [
        parquet_batches.of(parquet_batches.pictures(x), y),
        parquet_batches.of(parquet_batches.pictures(x), y, compression="none", **few),
        parquet_batches.of(files, y, compression="zstd", data_page_version="2.0", write_page_index=True),
        parquet_batches.of(raw, y, use_dictionary=False, compression="gzip", **few),
        parquet_batches.of(
            x.reshape(12, -1).tolist(),
            y,
            use_dictionary=False,
            column_encoding={"label": "DELTA_BINARY_PACKED"},
            **few,
        ),
        parquet_batches.of(x.tolist(), y / 1.0, compression="lz4"),
        parquet_batches.of(x.tolist(), y, compression="none", data_page_version="2.0", **few),
        parquet_batches.of(
            (x / 255).tolist(),
            y,
            compression="none",
            use_dictionary=False,
            use_byte_stream_split=["image.list.element.list.element"],
            **few,
        ),
        parquet_batches.of(pa.array(raw, pa.binary(784)), y, compression="brotli", write_page_checksum=True),
    ]


def _idx_files() -> list[bytes]:
    pixels = np.stack([drawn(n % 10, 28) for n in range(12)]).tobytes()
    return [
        struct.pack(">4B3I", 0, 0, 8, 3, 12, 28, 28) + pixels,
        struct.pack(">4BI", 0, 0, 8, 1, 12) + bytes(12),
    ]


@contextmanager
def _reading_pictures() -> Iterator[Feed]:
    def feed(data: bytes) -> None:
        with suppress(DigitsError):
            candidates(data, _MAX_BYTES, "image")

    yield feed


@contextmanager
def _reading_batches() -> Iterator[Feed]:
    yield _read_batch


def _read_batch(source: bytes | Path) -> None:
    with suppress(DigitsError):
        batch = opened(source, _MAX_BYTES)
        for images in batch.train(seed=1):
            assert images.pixels.shape == (len(images.labels), 784)
        batch.held_out()
        batch.sha256()


@contextmanager
def _reading_parquet() -> Iterator[Feed]:
    with pytest.MonkeyPatch.context() as patching:
        read_in_threads(patching)
        yield _read_batch


@contextmanager
def _reading_idx() -> Iterator[Feed]:
    images, labels = _idx_files()
    with TemporaryDirectory() as folder:

        def feed(data: bytes) -> None:
            for one, other in ((data, labels), (images, data)):
                Path(folder, "train-images-idx3-ubyte").write_bytes(one)
                Path(folder, "train-labels-idx1-ubyte").write_bytes(other)
                _read_batch(Path(folder))

        yield feed


@contextmanager
def _asking_by_rest() -> Iterator[Feed]:
    with recorded_service() as service, TemporaryDirectory() as folder:
        own = Settings(var_dir=Path(folder), server_address=service.address)
        web = create_app(own).test_client()

        def feed(data: bytes) -> None:
            for path in ("/digits/classify", "/digits/models/rollback"):
                for kind in ("application/json", "multipart/form-data; boundary=b"):
                    reply = web.post(
                        path, data=data, content_type=kind, headers={"Accept": "application/json"}
                    )
                    assert reply.status_code < 500, (reply.status_code, reply.data)

        yield feed


@contextmanager
def _asking_by_grpc() -> Iterator[Feed]:
    with TemporaryDirectory() as folder:
        own = Settings(data_dir=Path(folder), var_dir=Path(folder))
        bench = Bench()
        admission = Admission(
            bench.jobs,
            bench.store,
            BatchPlaces(Path(folder)),
            Labels(bench.store, 1 << 30),
            find_model=Registry(bench.coordinator).get,
            max_dataset_bytes=_MAX_BYTES,
            max_jobs_per_caller=1 << 30,
        )

        def feed(data: bytes) -> None:
            with suppress(DecodeError, DigitsError):
                admission.admit(pb.TrainRequest.FromString(data), "somebody")
            with suppress(DecodeError, DigitsError):
                file = file_from(pb.ClassifyRequest.FromString(data), own)
                messages.candidates_from(file, messages.read(file))

        yield feed


def _messages() -> list[bytes]:
    train = pb.TrainRequest(
        images_batch=_npz_files()[0][:500], recipe="fast", request_id="r", seed=1, promotion=1
    )
    return [
        train.SerializeToString(),
        pb.TrainRequest(images_batch_path="a/b.npz", orientation=2).SerializeToString(),
        pb.ClassifyRequest(image=_pictures()[0], model_version="v1").SerializeToString(),
        pb.ClassifyRequest(image_path="a.png", minimum_version="v1", preview=True).SerializeToString(),
    ]


_FIELD = st.sampled_from(
    ["image_path", "image", "model_version", "minimum_version", "preview", "from_version"]
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(_FIELD | st.text(max_size=9), inner, max_size=4)
    ),
    max_leaves=8,
)
_BODIES = [
    b'{"image_path": "n5.png"}',
    b'--b\r\nContent-Disposition: form-data; name="image"; filename="n"\r\n\r\nx\r\n--b--',
]

TARGETS = {
    "pictures": Target(damaged(_pictures()), _reading_pictures),
    "npz": Target(damaged(_npz_files()) | npz(), _reading_batches),
    "CSV": Target(damaged(_csv_files()), _reading_batches),
    "Parquet": Target(damaged(_parquet_files()), _reading_parquet),
    "IDX": Target(damaged(_idx_files()), _reading_idx),
    "JSON and forms": Target(
        damaged(_BODIES) | _JSON.map(lambda value: json.dumps(value).encode()), _asking_by_rest
    ),
    "protobuf": Target(damaged(_messages()), _asking_by_grpc),
}


def feed_all(target: Target, count: int, *, repeatable: bool) -> None:
    """Has a target read so many thought-up files; raises what it raised for the simplest of them."""
    with target.feeding() as feed:

        @settings(
            max_examples=count,
            deadline=None,
            database=None,
            derandomize=repeatable,
            suppress_health_check=list(HealthCheck),
        )
        @given(target.files)
        def run(data: bytes) -> None:
            with warnings.catch_warnings(action="ignore"):
                feed(data)

        run()
