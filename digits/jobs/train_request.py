"""What a Train request asks for, checked."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from digits.datasets.dataset import MAX_HELD_OUT, Dataset, open_dataset, open_upload
from digits.datasets.places import BatchPlaces
from digits.errors import InvalidInput, NotFound
from digits.feedback import batch
from digits.limits import MAX_REQUEST_ID_LENGTH
from digits.signals import traces
from digits.signals.context import REQUEST_ID
from digits.training import recipes
from digits.v1 import digit_service_pb2 as pb
from digits.v1 import models_pb2, training_pb2

# Whoever asks is told at once what is wrong with so many files, and with the headers of the others; the
# job says what is wrong within these. In HDFS a file takes 0.11 s, its header 0.035 s.
FILES_READ_AT_FIRST = 16


@dataclass(frozen=True)
class Upload:
    """What came with a request: its bytes, or a local file that has them, and their SHA-256."""

    content: bytes | Path
    sha256: str

    @classmethod
    def of(cls, request: pb.TrainRequest) -> Upload | None:
        """What a request carries itself, if it does."""
        kind = request.WhichOneof("batch")
        if kind not in ("images_batch", "model_bundle"):
            return None
        content: bytes = getattr(request, kind)
        return cls(content, hashlib.sha256(content).hexdigest())


def check(request: pb.TrainRequest, *, uploaded: bool = False) -> None:
    """Checks all but the images; raises InvalidInput."""
    if len(request.request_id) > MAX_REQUEST_ID_LENGTH or not request.request_id.isprintable():
        raise InvalidInput("request_id", f"at most {MAX_REQUEST_ID_LENGTH} printable characters")
    if request.promotion not in training_pb2.Promotion.values():
        raise InvalidInput("promotion", f"one of {', '.join(training_pb2.Promotion.keys())}")
    if request.orientation not in training_pb2.Orientation.values():
        raise InvalidInput("orientation", f"one of {', '.join(training_pb2.Orientation.keys())}")
    recipes.find(request.recipe)
    if uploaded and request.WhichOneof("batch") is not None:
        raise InvalidInput("header", "names a batch itself; an upload sends it in chunks")
    if not uploaded and request.WhichOneof("batch") is None:
        raise InvalidInput("batch", "give one of images_batch_path, images_batch and model_bundle")
    if request.WhichOneof("batch") == "model_bundle":
        _check_bundle_alone(request)


def _check_bundle_alone(request: pb.TrainRequest) -> None:
    for field in ("recipe", "seed", "base_model_version"):
        if getattr(request, field):
            raise InvalidInput(field, "is the bundle's own: leave it out")


def open_batch(
    asked: pb.TrainRequest | training_pb2.TrainSpec,
    upload: bytes | Path | None,
    places: BatchPlaces,
    max_bytes: int,
) -> Dataset:
    """Opens what a request or its job's record names, or the upload.

    Raises InvalidInput, also for files that are not those any more that the job was accepted with; NotFound,
    BatchUnavailable.

    If labelled pictures are asked for, the upload is a snapshot of them.
    """
    dataset = _open(asked, upload, _Opening.by(asked, places, max_bytes))
    if isinstance(asked, training_pb2.TrainSpec):
        dataset.files.require(asked.files_sha256)
    return dataset


@dataclass(frozen=True)
class _Opening:
    """How a batch is opened, whatever it is."""

    places: BatchPlaces
    max_bytes: int
    transposed: bool
    max_held_out: int
    max_files: int | None

    @classmethod
    def by(
        cls, asked: pb.TrainRequest | training_pb2.TrainSpec, places: BatchPlaces, max_bytes: int
    ) -> _Opening:
        transposed = asked.orientation == training_pb2.TRANSPOSED
        if isinstance(asked, training_pb2.TrainSpec):
            return cls(places, max_bytes, transposed, asked.max_held_out, None)
        return cls(places, max_bytes, transposed, MAX_HELD_OUT, FILES_READ_AT_FIRST)

    def path(self, name: str) -> Dataset:
        field = "images_batch_path"
        batch = self.places.resolve(name, field)
        return open_dataset(
            batch,
            field,
            self.max_bytes,
            self.transposed,
            max_held_out=self.max_held_out,
            max_files=self.max_files,
        )

    def upload(self, content: bytes | Path) -> Dataset:
        return open_upload(content, "images_batch", self.max_bytes, self.transposed, self.max_held_out)


def _open(
    asked: pb.TrainRequest | training_pb2.TrainSpec, upload: bytes | Path | None, opening: _Opening
) -> Dataset:
    name = asked.images_batch_path
    try:
        return _joined(name, upload, opening)
    except NotFound as error:
        if not (meant := batch.meant(name)):
            raise
        raise InvalidInput(batch.FIELD, f'no file {name[:64]!r}; is "{meant}" meant?') from error


def _joined(name: str, upload: bytes | Path | None, opening: _Opening) -> Dataset:
    if upload is None:
        return opening.path(name)
    base = batch.base_of(name)
    if base is None:
        return opening.upload(upload)
    labelled = batch.labelled(upload.read_bytes() if isinstance(upload, Path) else upload)
    if not base:
        return batch.check(labelled)
    return batch.joined(opening.path(base), labelled)


def spec_from_base(request: pb.TrainRequest, spec: training_pb2.TrainSpec, base: models_pb2.Model) -> None:
    """Has a job go on from a version, by that one's recipe; raises InvalidInput if another is asked for."""
    recipe = base.provenance.recipe
    if request.recipe and recipes.find(request.recipe).name != recipe:
        raise InvalidInput("recipe", f"{base.version} was trained by {recipe!r}: leave the recipe out")
    spec.recipe, spec.base_model_version = recipe, base.version


def spec_of(request: pb.TrainRequest, caller: str, upload: Upload | None = None) -> training_pb2.TrainSpec:
    """What a job keeps of a request that was checked, apart from the images themselves."""
    is_model = request.WhichOneof("batch") == "model_bundle"
    return training_pb2.TrainSpec(
        images_batch_path=request.images_batch_path,
        is_model=is_model,
        recipe="" if is_model else recipes.find(request.recipe).name,
        seed=request.seed,
        promotion=request.promotion,
        orientation=request.orientation,
        max_held_out=MAX_HELD_OUT,
        request_id=request.request_id,
        fingerprint=_fingerprint(request, upload),
        caller=caller,
        origin=_origin(),
    )


def _origin() -> training_pb2.CallOrigin:
    traceparent = traces.headers().get(traces.TRACEPARENT, "")
    return training_pb2.CallOrigin(request_id=REQUEST_ID.get(), traceparent=traceparent)


def _fingerprint(request: pb.TrainRequest, upload: Upload | None) -> str:
    """Of what was uploaded the checksum counts: it is the same however it came."""
    body = pb.TrainRequest()
    for field, value in request.ListFields():
        if field.name not in ("request_id", "images_batch", "model_bundle"):
            setattr(body, field.name, value)
    if upload:
        kind = request.WhichOneof("batch") or "images_batch"
        setattr(body, kind, upload.sha256.encode())
    return hashlib.sha256(body.SerializeToString(deterministic=True)).hexdigest()
