"""Adapters are chosen by URL, and a wrong URL names its setting."""

from __future__ import annotations

from pathlib import Path

import pytest

from digits import bootstrap
from digits.adapters.hdfs import HdfsStore
from digits.adapters.kafka import KafkaLog
from digits.adapters.local_folder import LocalFolderStore
from digits.adapters.spool import SpoolLog
from digits.settings import Settings


def test_the_store_is_chosen_by_its_url(tmp_path: Path) -> None:
    assert isinstance(bootstrap.store(Settings(var_dir=tmp_path)), LocalFolderStore)
    assert isinstance(bootstrap.store(Settings(store_url="webhdfs://a:9870,b:9870/digits")), HdfsStore)


def test_the_log_is_chosen_by_its_url(tmp_path: Path) -> None:
    assert isinstance(bootstrap.log(Settings(var_dir=tmp_path)), SpoolLog)
    assert isinstance(bootstrap.log(Settings(log_url="kafka://a:9092,b:9092")), KafkaLog)


@pytest.mark.parametrize(
    ("setting", "url"),
    [
        ("store_url", "s3://bucket"),
        ("store_url", "/a/folder"),
        ("store_url", "webhdfs://namenode/digits"),
        ("store_url", "webhdfs:///digits"),
        ("batches_url", "/a/folder"),
        ("batches_url", "hdfs://namenode/batches"),
        ("log_url", "pulsar://a:6650"),
        ("log_url", "kafka://a:9092,b"),
        ("log_url", "kafka://somebody@a:9092"),
        ("coordinator_url", "etcd://a:2379"),
        ("broker_url", "sqs://a"),
    ],
)
def test_a_url_that_no_adapter_understands_names_its_setting(setting: str, url: str) -> None:
    build = {
        "store_url": bootstrap.store,
        "batches_url": bootstrap.batches,
        "log_url": bootstrap.log,
        "coordinator_url": bootstrap.coordinator,
        "broker_url": bootstrap.train_queue,
    }[setting]
    with pytest.raises(ValueError, match=f"DIGITS_{setting.upper()}: "):
        build(Settings(**{setting: url}))  # type: ignore[arg-type]


@pytest.mark.parametrize("root", ["", "/", "/digits", "/digits/"])
def test_the_store_is_not_below_the_folder_of_batches(root: str) -> None:
    settings = Settings(store_url="webhdfs://a:9870,b:9870/digits", batches_url=f"webhdfs://b:9870{root}")
    with pytest.raises(ValueError, match="DIGITS_BATCHES_URL: the service's own store must not be below it"):
        bootstrap.batches(settings)
    beside = settings.model_copy(update={"batches_url": "webhdfs://b:9870/digits-batches"})
    assert bootstrap.batches(beside).elsewhere


def test_secrets_are_not_shown() -> None:
    settings = Settings(kafka_sasl_password="se-cret", webhdfs_token="se-cret")  # type: ignore[arg-type]  # noqa: S106
    assert "se-cret" not in f"{settings!r} {settings} {settings.model_dump_json()}"
