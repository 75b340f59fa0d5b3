"""A trained model as one file: sealed, verified before it serves."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from digits import envelope
from digits.errors import Corrupt
from digits.models.predictor import Predictor
from digits.ports import ArtifactStore
from digits.v1 import artifacts_pb2, models_pb2


@dataclass(frozen=True)
class LoadedModel:
    """A version in memory, ready to answer."""

    version: str
    predictor: Predictor


def fetch(store: ArtifactStore, model: models_pb2.Model) -> bytes:
    """Reads a version's bundle; raises Corrupt if it is not what was registered."""
    data = store.read(model.store_path)
    if len(data) != model.bundle_bytes or hashlib.sha256(data).hexdigest() != model.bundle_sha256:
        raise Corrupt(f"the bundle of {model.version} is not the one that was registered")
    return data


def load(data: bytes, version: str, threads: int = 1) -> LoadedModel:
    """Opens, verifies and warms a bundle; raises Corrupt."""
    bundle = envelope.unseal(data, artifacts_pb2.ModelBundle)
    if bundle.version != version:
        raise Corrupt(f"the bundle says it is {bundle.version!r}, not {version!r}")
    return LoadedModel(version, Predictor(bundle.onnx, threads))
