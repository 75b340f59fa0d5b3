"""A connection to HDFS that goes to another process."""

from __future__ import annotations

import logging
import pickle

import pytest

from digits.adapters.hdfs_connection import HdfsConnection


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
