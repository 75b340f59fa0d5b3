"""The labelled pictures, in shards of the store. Each is durable before its caller hears so."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections import Counter
from collections.abc import Iterable

from digits import envelope
from digits.errors import Corrupt, NotFound, Overloaded
from digits.ports import ArtifactStore
from digits.v1 import feedback_pb2 as pb

logger = logging.getLogger(__name__)

FOLDER = "feedback"
# A label comes from a person: one file each, until there are so many that reading them takes a second.
_MAX_SHARDS = 100
_RETRY_AFTER_SECONDS = 3600.0


class Labels:
    """Adds, reads and merges them. Threads and servers may share the store."""

    def __init__(self, store: ArtifactStore, max_per_caller: int) -> None:
        self._store, self._max_per_caller = store, max_per_caller
        self._lock = threading.Lock()
        self._shards: dict[str, list[pb.LabelledImage]] = {}

    def add(self, image: pb.LabelledImage) -> None:
        """Keeps a picture; raises Overloaded if its caller has its share, and StoreUnavailable."""
        known = self.all()
        of_caller = {each.prediction_id for each in known if each.caller == image.caller}
        if len(of_caller | {image.prediction_id}) > self._max_per_caller:
            said = f"{image.caller} has labelled {self._max_per_caller:,} pictures, which is a caller's share"
            raise Overloaded(said, retry_after_seconds=_RETRY_AFTER_SECONDS)
        self._publish([image], time.time_ns())

    def all(self) -> list[pb.LabelledImage]:
        """Every picture with the newest word on it, oldest first; raises StoreUnavailable."""
        with self._lock:
            names = self._store.names(FOLDER)
            self._shards = {name: self._read(name) for name in names}
            newest = {image.prediction_id: image for name in names for image in self._shards[name]}
        return list(newest.values())

    def merge(self) -> None:
        """Makes one shard of many; whoever reads meanwhile finds each picture at least once."""
        names = self._store.names(FOLDER)
        if len(names) <= _MAX_SHARDS:
            return
        images = self.all()
        self._publish(images, max(_time_of(name) for name in names))
        for name in names:
            # What could not be read is in no other: somebody may want to restore it.
            if self._shards.get(name):
                self._store.delete(name)

    def _publish(self, images: Iterable[pb.LabelledImage], time_ns: int) -> None:
        name = f"{FOLDER}/{time_ns:020d}-{secrets.token_hex(4)}"
        self._store.publish(name, envelope.seal(pb.LabelledImages(images=images)))

    def _read(self, name: str) -> list[pb.LabelledImage]:
        if name in self._shards:
            return self._shards[name]
        try:
            return list(envelope.unseal(self._store.read(name), pb.LabelledImages).images)
        except (Corrupt, NotFound) as error:
            # One that was merged meanwhile is in its successor; a damaged one costs itself alone.
            logger.warning("%s is left out: %s", name, error)
            return []


def callers(images: Iterable[pb.LabelledImage]) -> str:
    """Who labelled how many, most first: "ann 40, bob 17"."""
    counted = Counter(image.caller for image in images).most_common()
    return ", ".join(f"{caller} {count:,}" for caller, count in counted)


def _time_of(name: str) -> int:
    return int(name.rpartition("/")[2].partition("-")[0])
