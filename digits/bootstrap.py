"""The one place that turns settings into ports. Each process builds only what it uses."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from digits.adapters.celery_queue import CeleryClassifyQueue, CeleryTrainQueue, make_app
from digits.adapters.local_folder import LocalFolderStore
from digits.adapters.spool import SpoolLog
from digits.adapters.zookeeper import ZooKeeperCoordinator
from digits.ports import ArtifactStore, BlockLog, ClassifyQueue, Coordinator, TrainQueue
from digits.settings import Settings


def store(settings: Settings) -> ArtifactStore:
    """The artifact store."""
    return LocalFolderStore(_folder("store_url", settings.store))


def log(settings: Settings) -> BlockLog:
    """The log of image blocks."""
    return SpoolLog(_folder("log_url", settings.log))


def coordinator(settings: Settings) -> Coordinator:
    """A session with the coordinator, which comes up in the background."""
    _require("coordinator_url", settings.coordinator_url, "zookeeper")
    return ZooKeeperCoordinator(settings.coordinator_url, settings.coordinator_session_seconds)


def train_queue(settings: Settings) -> TrainQueue:
    """The way to the train workers."""
    return CeleryTrainQueue(make_app(settings.broker_url))


def classify_queue(settings: Settings) -> ClassifyQueue:
    """The way to the classify workers."""
    return CeleryClassifyQueue(lambda: make_app(settings.broker_url))


def _folder(setting: str, url: str) -> Path:
    return Path(_require(setting, url, "file"))


def _require(setting: str, url: str, scheme: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != scheme:
        raise ValueError(
            f"DIGITS_{setting.upper()}: {scheme}://… is supported, not {parts.scheme or url!r}://"
        )
    return parts.path
