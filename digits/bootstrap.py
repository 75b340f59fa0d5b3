"""The one place that turns settings into ports. Each process builds only what it uses.

An adapter is imported when its URL asks for it: HDFS's takes 0.3 s, Kafka's 0.1 s.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import SplitResult, urlsplit

from digits.adapters.celery_queue import CeleryClassifyQueue, CeleryTrainQueue, app_of
from digits.adapters.zookeeper import ZooKeeperCoordinator
from digits.adapters.zookeeper_access import TLS_SCHEME, ZooKeeperAccess
from digits.datasets.places import BatchPlaces, Elsewhere
from digits.ports import ArtifactStore, BlockLog, ClassifyQueue, Coordinator, TrainQueue
from digits.settings import Settings

# How the address of a system of one's own is written, the first that comes to mind.
FORMS = {
    "store_url": "webhdfs://127.0.0.1:9870/digits",
    "batches_url": "webhdfs://127.0.0.1:9870/batches",
    "log_url": "kafka://127.0.0.1:9092",
    "coordinator_url": "zookeeper://127.0.0.1:2181/digits",
    "broker_url": "redis://127.0.0.1:6379/0",
    "spark_master": "spark://127.0.0.1:7077",
}
_ADDRESS = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^:@\[\]]+)(?P<port>:\d+)?")


def store(settings: Settings) -> ArtifactStore:
    """The artifact store."""
    url = _require("store_url", settings.store, "file", "webhdfs", "swebhdfs")
    if url.scheme == "file":
        from digits.adapters.local_folder import LocalFolderStore  # noqa: PLC0415

        return LocalFolderStore(Path(url.path))
    from digits.adapters.hdfs import HdfsStore  # noqa: PLC0415

    return HdfsStore(_addresses("store_url", url), url.path or "/", **_hdfs_access(settings, url))


def batches(settings: Settings) -> BatchPlaces:
    """Where batches are read from."""
    if not settings.batches_url:
        return BatchPlaces(settings.data_dir)
    from digits.adapters.hdfs_batches import HdfsBatches  # noqa: PLC0415
    from digits.adapters.hdfs_connection import HdfsConnection  # noqa: PLC0415

    url = _require("batches_url", settings.batches_url, "webhdfs", "swebhdfs")
    hosts = _addresses("batches_url", url)
    _require_apart(settings, hosts, url.path or "/")
    files = HdfsBatches(HdfsConnection(hosts, **_hdfs_access(settings, url)))
    return BatchPlaces(settings.data_dir, Elsewhere(url.scheme, hosts, url.path or "/", files))


def _hdfs_access(settings: Settings, url: SplitResult) -> dict[str, Any]:
    """Who we are to an HDFS, and how it is spoken to."""
    return {
        "user": settings.webhdfs_user,
        "token": settings.webhdfs_token.get_secret_value(),
        "tls": url.scheme == "swebhdfs",
        "ca_file": settings.webhdfs_ca_file,
    }


def _require_apart(settings: Settings, hosts: Sequence[str], root: str) -> None:
    """Who may name a batch may not name what the service keeps of others."""
    store = urlsplit(settings.store)
    if PurePosixPath(store.path).is_relative_to(root) and not set(hosts).isdisjoint(store.netloc.split(",")):
        raise ValueError("DIGITS_BATCHES_URL: the service's own store must not be below it")


def log(settings: Settings) -> BlockLog:
    """The log of image blocks."""
    url = _require("log_url", settings.log, "file", "kafka")
    if url.scheme == "file":
        from digits.adapters.spool import SpoolLog  # noqa: PLC0415

        return SpoolLog(Path(url.path))
    from digits.adapters.kafka import KafkaLog  # noqa: PLC0415
    from digits.adapters.kafka_connection import KafkaConnection  # noqa: PLC0415

    connection = KafkaConnection(
        brokers=_addresses("log_url", url),
        security_protocol=settings.kafka_security_protocol,
        sasl_mechanism=settings.kafka_sasl_mechanism,
        sasl_username=settings.kafka_sasl_username,
        sasl_password=settings.kafka_sasl_password.get_secret_value(),
        ssl_ca_file=settings.kafka_ssl_ca_file,
        ssl_certificate_file=settings.kafka_ssl_certificate_file,
        ssl_key_file=settings.kafka_ssl_key_file,
    )
    return KafkaLog(connection, settings.kafka_replication_factor, settings.kafka_retention_hours)


def coordinator(settings: Settings) -> Coordinator:
    """A session with the coordinator, which comes up in the background."""
    coordinator_addresses(settings)
    return ZooKeeperCoordinator(
        settings.coordinator_url,
        settings.coordinator_session_seconds,
        access=ZooKeeperAccess.of(settings),
    )


def coordinator_addresses(settings: Settings) -> tuple[str, ...]:
    """HOST or HOST:PORT of each ZooKeeper server; raises ValueError for what is none."""
    url = _require("coordinator_url", settings.coordinator_url, "zookeeper", TLS_SCHEME)
    return _addresses("coordinator_url", url, port_needed=False)


def spark_addresses(settings: Settings) -> tuple[str, ...]:
    """HOST:PORT of each Spark master, none for local[*] and k8s://; raises ValueError for what is none."""
    if settings.spark_master.startswith(("local", "k8s://")):
        return ()
    return _addresses("spark_master", _require("spark_master", settings.spark_master, "spark"))


def train_queue(settings: Settings) -> TrainQueue:
    """The way to the train workers."""
    require_broker(settings)
    return CeleryTrainQueue(app_of(settings))


def classify_queue(settings: Settings) -> ClassifyQueue:
    """The way to the classify workers."""
    require_broker(settings)
    return CeleryClassifyQueue(lambda: app_of(settings))


def require_broker(settings: Settings) -> None:
    """Raises ValueError for an address that is none of a broker."""
    url = _require("broker_url", settings.broker_url, "redis", "rediss", "amqp", "amqps")
    _one_address("broker_url", url)


def _require(setting: str, url: str, *schemes: str) -> SplitResult:
    parts = urlsplit(url)
    if parts.scheme not in schemes or not url[len(parts.scheme) :].startswith("://"):
        allowed = " or ".join(f"{scheme}://…" for scheme in schemes)
        raise ValueError(
            f"DIGITS_{setting.upper()}: {allowed} is supported, not {_without_credentials(url)!r}"
        )
    return parts


def _addresses(setting: str, url: SplitResult, *, port_needed: bool = True) -> tuple[str, ...]:
    addresses = tuple(url.netloc.split(","))
    for address in addresses:
        match = _ADDRESS.fullmatch(address)
        if not match or (port_needed and not match["port"]):
            shown = _address_in(url)
            raise ValueError(f"DIGITS_{setting.upper()}: HOST:PORT[,HOST:PORT] is needed, not {shown!r}")
    return addresses


def _one_address(setting: str, url: SplitResult) -> None:
    address = url.netloc.rpartition("@")[2]
    if address and not _ADDRESS.fullmatch(address):
        shown = _address_in(url)
        raise ValueError(f"DIGITS_{setting.upper()}: one HOST:PORT is needed, not {shown!r}")


def _without_credentials(url: str) -> str:
    """Whatever is wrong with it, what stands before an @ may be a password, also with a slash in it."""
    return url.rpartition("@")[2]


def _address_in(url: SplitResult) -> str:
    return _without_credentials(url.geturl()).rpartition("://")[2].partition("/")[0]
