"""Trained versions and which one serves, in the coordinator."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from digits import clock
from digits.errors import Corrupt, NotFound, NotReady, StaleWrite, WrongPageToken
from digits.ports import Check, Coordinator, Create, Replace, Stored
from digits.records import RecordReader
from digits.v1 import models_pb2 as pb

_NUMBER = "/models"
_SERVING = "/serving"
# Some 10 KB in the alias's node, which every process reads at each move.
_MAX_HISTORY = 100
# Records that are asked for together: some 100 KB.
_AT_ONCE = 200


@dataclass(frozen=True)
class ServingAlias:
    """The serving alias as it was read; `stored` is None before the first model."""

    serving: pb.Serving
    stored: Stored | None

    def moved_to(
        self, version: str, reason: pb.ServingChange.Reason, caller: str, origin: str = ""
    ) -> Create | Replace:
        """The operation that moves the alias and notes the move, if the alias still is as it was read."""
        change = pb.ServingChange(
            generation=self.serving.generation + 1,
            version=version,
            previous_version=self.serving.version,
            reason=reason,
            caller=caller,
            origin=origin,
            change_time=clock.now(),
        )
        moved = pb.Serving(
            version=version,
            generation=change.generation,
            previous_version=change.previous_version,
            history=[*self.serving.history, change][-_MAX_HISTORY:],
        ).SerializeToString()
        if self.stored is None:
            return Create(_SERVING, moved)
        return Replace(_SERVING, moved, self.stored.version)

    def chosen_by_the_gate(self) -> list[str]:
        """What serves, and what the gate replaced since somebody chose by hand, the newest first."""
        versions = [self.serving.version]
        for change in reversed(self.serving.history):
            if change.reason != pb.ServingChange.GATE:
                break
            versions.append(change.previous_version)
        return [version for version in dict.fromkeys(versions) if version]

    def unmoved(self) -> Check:
        """The operation that holds if the alias still is as it was read; only if there is one."""
        assert self.stored
        return Check(_SERVING, self.stored.version)

    def served_versions(self) -> set[str]:
        """What serves, and what is known here to have served before."""
        history = self.serving.history
        before = {change.version for change in history} | {change.previous_version for change in history}
        return before | {self.serving.version, self.serving.previous_version}

    def version_before(self) -> str:
        """Where a rollback leads: each goes one version further back. Empty if nothing served before."""
        if not self.serving.history:
            return self.serving.previous_version
        served = [self.serving.history[0].previous_version]
        for change in self.serving.history:
            if change.reason in (pb.ServingChange.ROLLBACK, pb.ServingChange.LIVE_LABELS):
                del served[-1:]
            if served[-1:] != [change.version]:
                served.append(change.version)
        return served[-2] if len(served) > 1 else ""


class Registry:
    """Registers versions and moves the serving alias by compare-and-set."""

    def __init__(self, coordinator: Coordinator) -> None:
        self._coordinator = coordinator
        self._records = RecordReader(pb.Model)

    def new_version(self) -> str:
        """Returns a version name that nobody else gets, now or later."""
        while True:
            stored = self._coordinator.get(_NUMBER)
            number = int(stored.value or b"0") + 1 if stored else 1
            value = str(number).encode()
            try:
                self._coordinator.commit(
                    Replace(_NUMBER, value, stored.version) if stored else Create(_NUMBER, value)
                )
            except StaleWrite:
                continue
            return f"v{number}"

    def registration(self, model: pb.Model, promoted: bool) -> Create:
        """The operation that registers a published version, which serves from then on if it was promoted."""
        registered = pb.Model()
        registered.CopyFrom(model)
        registered.served = promoted
        return Create(model_path(model.version), registered.SerializeToString())

    def mark_served(self, version: str) -> Replace:
        """The operation that notes for good that a version served; raises NotFound, Corrupt."""
        return self._replacement(version, lambda model: setattr(model, "served", True))

    def pin(self, version: str, pinned: bool) -> pb.Model:
        """Keeps a version from being pruned, or no longer; raises NotFound, Corrupt."""
        while True:
            change = self._replacement(version, lambda model: setattr(model, "pinned", pinned))
            try:
                self._coordinator.commit(change)
            except StaleWrite:
                continue
            return self.get(version)

    def is_registered(self, version: str) -> bool:
        """Whether there is a record of the version, readable or not."""
        return self._coordinator.get(model_path(version)) is not None

    def alias(self, synced: bool = False) -> ServingAlias:
        """Returns the serving alias; `synced`, no older than what any other process has seen."""
        if synced:
            self._coordinator.sync()
        return _alias_of(self._coordinator.get(_SERVING))

    def watch_alias(self, changed: Callable[[pb.Serving], None]) -> Callable[[], None]:
        """Calls `changed` with the alias now and after each move; returns what ends it."""
        return self._coordinator.watch(_SERVING, lambda stored: changed(_alias_of(stored).serving))

    def get(self, version: str) -> pb.Model:
        """Returns a version ("serving": the one that serves); raises NotFound, NotReady, Corrupt."""
        alias = self.alias().serving
        if version == "serving":
            if not alias.version:
                raise NotReady("no model serves yet: train one first")
            version = alias.version
        return _with_state(self._read(version, self._stored(version)), alias)

    def newest(self, limit: int, before: str = "") -> list[pb.Model]:
        """Returns up to `limit` versions, newest first, older than the version `before`.

        Raises InvalidInput if that is no version's name.
        """
        numbers = self._numbers()
        if before:
            last = version_number(before)
            if last is None:
                raise WrongPageToken(before)
            numbers = [number for number in numbers if number < last]
        return list(islice(self._readable(numbers[::-1], at_once=limit), limit))

    def oldest_first(self) -> Iterator[pb.Model]:
        """Every version whose record can be read."""
        return self._readable(self._numbers())

    def unreadable_count(self) -> int:
        """How many records were found to be junk."""
        return self._records.unreadable_count()

    def serving_history(self, limit: int, before: str = "") -> list[pb.ServingChange]:
        """Returns up to `limit` moves of the alias, newest first, older than generation `before` if given.

        Raises InvalidInput.
        """
        if before and not (before.isascii() and before.isdigit() and len(before) < 20):
            raise WrongPageToken(before)
        changes = self.alias().serving.history
        older = [change for change in changes if not before or change.generation < int(before)]
        return older[: -limit - 1 : -1]

    def _numbers(self) -> list[int]:
        names = map(version_number, self._coordinator.children(_NUMBER))
        return sorted(number for number in names if number is not None)

    def _readable(self, numbers: Sequence[int], at_once: int = _AT_ONCE) -> Iterator[pb.Model]:
        alias = self.alias().serving
        for first in range(0, len(numbers), at_once):
            paths = [model_path(f"v{number}") for number in numbers[first : first + at_once]]
            for path, stored in zip(paths, self._coordinator.get_many(paths), strict=True):
                if stored and (model := self._records.parse(path, stored)):
                    yield _with_state(model, alias)

    def _replacement(self, version: str, change: Callable[[pb.Model], None]) -> Replace:
        stored = self._stored(version)
        model = self._read(version, stored)
        change(model)
        return Replace(model_path(version), model.SerializeToString(), stored.version)

    def _stored(self, version: str) -> Stored:
        stored = self._coordinator.get(model_path(version)) if version_number(version) is not None else None
        if stored is None:
            raise NotFound("model version", version)
        return stored

    def _read(self, version: str, stored: Stored) -> pb.Model:
        model = self._records.parse(model_path(version), stored)
        if model is None:
            raise Corrupt(f"{model_path(version)} holds no model's record: remove or restore it")
        return model


def version_number(version: str) -> int | None:
    """The number of a version such as "v12", by which versions were published; None for what is none."""
    is_version = version[:1] == "v" and version[1:].isascii() and version[1:].isdigit() and len(version) < 20
    return int(version[1:]) if is_version else None


def model_path(version: str) -> str:
    """The coordinator's path of a version's record."""
    return f"{_NUMBER}/{version}"


def _alias_of(stored: Stored | None) -> ServingAlias:
    return ServingAlias(pb.Serving.FromString(stored.value) if stored else pb.Serving(), stored)


def _with_state(model: pb.Model, alias: pb.Serving) -> pb.Model:
    model.state = pb.Model.SERVING if model.version == alias.version else pb.Model.AVAILABLE
    return model
