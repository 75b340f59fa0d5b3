"""A version as a file that other programs read."""

from __future__ import annotations

import hashlib

from digits import envelope
from digits.models import bundle, keras_file
from digits.models.registry import Registry
from digits.ports import ArtifactStore
from digits.v1 import artifacts_pb2
from digits.v1 import models_pb2 as pb

_Format = pb.ExportModelRequest
_ENDINGS = {_Format.BUNDLE: "bundle", _Format.ONNX: "onnx", _Format.KERAS: "keras"}


class Export:
    """Reads versions from the store and writes them in the format that is asked for."""

    def __init__(self, registry: Registry, store: ArtifactStore) -> None:
        self._registry, self._store = registry, store

    def file(self, version: str, kind: pb.ExportModelRequest.Format) -> pb.ExportModelResponse:
        """The file with its name; raises NotFound, NotReady, Corrupt and StoreUnavailable."""
        model = self._registry.get(version)
        sealed = bundle.fetch(self._store, model)
        data = _written(sealed, kind)
        return pb.ExportModelResponse(
            version=model.version,
            data=data,
            file_name=f"{model.version}.{_ENDINGS[kind]}",
            sha256=hashlib.sha256(data).hexdigest(),
        )


def _written(sealed: bytes, kind: pb.ExportModelRequest.Format) -> bytes:
    if kind == _Format.BUNDLE:
        return sealed
    opened = envelope.unseal(sealed, artifacts_pb2.ModelBundle)
    return opened.onnx if kind == _Format.ONNX else keras_file.written(opened)
