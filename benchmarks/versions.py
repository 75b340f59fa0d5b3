"""More versions without more training: copies of the one that serves, under names of their own."""

from __future__ import annotations

import hashlib

from digits import bootstrap, clock, envelope
from digits.errors import AlreadyPublished
from digits.models.registry import Registry
from digits.settings import Settings
from digits.v1 import artifacts_pb2


def copies_of_what_serves(settings: Settings, count: int) -> list[str]:
    """Publishes and registers copies that do not serve; returns their names."""
    coordinator, store = bootstrap.coordinator(settings), bootstrap.store(settings)
    registry = Registry(coordinator)
    try:
        model = registry.get("serving")
        bundle = envelope.unseal(store.read(model.store_path), artifacts_pb2.ModelBundle)
        names: list[str] = []
        while len(names) < count:
            bundle.version = model.version = registry.new_version()
            data = envelope.seal(bundle)
            model.store_path = f"models/{bundle.version}.bundle"
            model.bundle_bytes, model.bundle_sha256 = len(data), hashlib.sha256(data).hexdigest()
            model.create_time.CopyFrom(clock.now())
            try:
                store.publish(model.store_path, data)
            except AlreadyPublished:
                continue
            coordinator.commit(registry.registration(model, promoted=False))
            names.append(bundle.version)
        return names
    finally:
        coordinator.close()
