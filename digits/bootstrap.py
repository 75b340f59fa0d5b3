"""The one place that turns settings into ports. Each process builds only what it uses.

An adapter is imported when its URL asks for it: HDFS's takes 0.3 s, Kafka's 0.1 s.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from digits.adapters.celery_queue import CeleryClassifyQueue, CeleryTrainQueue, app_of
from digits.adapters.zookeeper import ZooKeeperCoordinator
from digits.adapters.zookeeper_access import TLS_SCHEME, ZooKeeperAccess
from digits.ports import ArtifactStore, BlockLog, ClassifyQueue, Coordinator, TrainQueue
from digits.settings import Settings


def store(settings: Settings) -> ArtifactStore:
    """The artifact store."""
    url = _require("store_url", settings.store, "file", "webhdfs", "swebhdfs")
    if url.scheme == "file":
        from digits.adapters.local_folder import LocalFolderStore  # noqa: PLC0415

        return LocalFolderStore(Path(url.path))
    from digits.adapters.hdfs import HdfsStore  # noqa: PLC0415

    return HdfsStore(
        _addresses("store_url", url),
        url.path or "/",
        user=settings.webhdfs_user,
        token=settings.webhdfs_token.get_secret_value(),
        tls=url.scheme == "swebhdfs",
        ca_file=settings.webhdfs_ca_file,
    )


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
    _require("coordinator_url", settings.coordinator_url, "zookeeper", TLS_SCHEME)
    return ZooKeeperCoordinator(
        settings.coordinator_url,
        settings.coordinator_session_seconds,
        access=ZooKeeperAccess.of(settings),
    )


def train_queue(settings: Settings) -> TrainQueue:
    """The way to the train workers."""
    _require_broker(settings)
    return CeleryTrainQueue(app_of(settings))


def classify_queue(settings: Settings) -> ClassifyQueue:
    """The way to the classify workers."""
    _require_broker(settings)
    return CeleryClassifyQueue(lambda: app_of(settings))


def _require_broker(settings: Settings) -> None:
    _require("broker_url", settings.broker_url, "redis", "rediss", "amqp", "amqps")


def _require(setting: str, url: str, *schemes: str) -> SplitResult:
    parts = urlsplit(url)
    if parts.scheme not in schemes:
        raise ValueError(
            f"DIGITS_{setting.upper()}: {' or '.join(f'{scheme}://…' for scheme in schemes)} is supported, "
            f"not {parts.scheme or url!r}://"
        )
    return parts


def _addresses(setting: str, url: SplitResult) -> tuple[str, ...]:
    addresses = tuple(url.netloc.split(","))
    if not all(_is_address(address) for address in addresses):
        raise ValueError(f"DIGITS_{setting.upper()}: HOST:PORT[,HOST:PORT] is needed, not {url.netloc!r}")
    return addresses


def _is_address(address: str) -> bool:
    host, _, port = address.rpartition(":")
    return bool(host) and port.isdecimal() and "@" not in host
