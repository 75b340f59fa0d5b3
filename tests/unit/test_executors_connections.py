"""Connections that go to an executor, on a machine where things may be otherwise."""

from __future__ import annotations

import logging
import pickle
from pathlib import Path

import pytest

from digits.adapters.hdfs_batches import HdfsFile
from digits.adapters.hdfs_connection import HdfsConnection
from digits.adapters.kafka import KafkaLog
from digits.adapters.kafka_connection import KafkaConnection
from digits.datasets.shards import reading
from digits.errors import Misconfigured


def test_whoever_we_are_here_we_are_to_hdfs_from_an_executor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "digits")
    sent = pickle.dumps(HdfsConnection(["127.0.0.1:1"]))
    monkeypatch.setenv("LOGNAME", "spark")
    again: HdfsConnection = pickle.loads(sent)  # noqa: S301
    assert again._client()._session.params == {"user.name": "digits"}


def test_an_executor_does_not_log_what_hdfs_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = pickle.dumps(HdfsConnection(["127.0.0.1:1"], token="secret", tls=True))  # noqa: S106
    logger = logging.getLogger("hdfs.client")
    # As in a process that never made one.
    monkeypatch.setattr(logger, "level", logging.NOTSET)
    logger.manager._clear_cache()  # type: ignore[attr-defined]
    again: HdfsConnection = pickle.loads(sent)  # noqa: S301
    again._client()
    assert not logger.isEnabledFor(logging.ERROR)


def test_a_machine_without_the_ca_file_says_so_and_calls_no_batch_damaged(tmp_path: Path) -> None:
    missing = tmp_path / "ca.pem"
    hdfs = HdfsConnection(["127.0.0.1:1"], "digits", tls=True, ca_file=missing)
    wanted = pytest.raises(Misconfigured, match=r"DIGITS_WEBHDFS_CA_FILE: there is no ca\.pem")
    with wanted, reading("a.csv", "images_batch_path"):
        HdfsFile("/a.csv", hdfs).size()


def test_a_machine_without_kafkas_ca_file_says_so(tmp_path: Path) -> None:
    connection = KafkaConnection(("127.0.0.1:1",), "SSL", ssl_ca_file=str(tmp_path / "ca.pem"))
    with pytest.raises(Misconfigured, match=r"DIGITS_KAFKA_SSL_CA_FILE.*ssl\.ca\.location"):
        KafkaLog(connection, 1, 1).end_offsets("job")
