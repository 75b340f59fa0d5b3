"""The queue over brokers that want a password, by TLS: the host's name has to be right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trustme
from celery.contrib.testing.worker import start_worker

from digits.adapters.celery_queue import (
    CeleryClassifyQueue,
    CeleryTrainQueue,
    app_of,
    register_classify_task,
    register_train_task,
)
from digits.adapters.reply_queue import ReplyPublisher
from digits.errors import QueueUnavailable
from digits.settings import Settings
from digits.v1 import queue_pb2
from tests.certificates import Authority, make_authority
from tests.conftest import require_rabbitmq
from tests.ports import free_port
from tests.servers import rabbitmq_server, valkey_server
from tests.tls_port import tls_port
from tests.waiting import wait_until

PASSWORD = "kept-from/strangers@all"  # noqa: S105


@dataclass(frozen=True)
class SecureBroker:
    """Its TLS port, and who vouches for it: for localhost, not for 127.0.0.1."""

    scheme: str
    user: str
    port: int
    authority: Authority

    def settings(self, host: str = "localhost", **more: Any) -> Settings:
        """What a process is told of it."""
        url = f"{self.scheme}://{self.user}{host}:{self.port}/"
        known = {"broker_ca_file": self.authority.file, "broker_password": PASSWORD}
        return Settings(broker_url=url, **{**known, **more})


@pytest.fixture(scope="module")
def secure_valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureBroker]:
    """The wheel's Valkey has no TLS of its own."""
    folder, port = tmp_path_factory.mktemp("secure_valkey"), free_port()
    authority = make_authority(folder / "authority", "localhost")
    with (
        valkey_server(folder, port, {"valkey": PASSWORD}),
        tls_port(port, authority.server) as secure_port,
    ):
        yield SecureBroker("rediss", "", secure_port, authority)


@pytest.fixture(scope="module")
def secure_rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureBroker]:
    require_rabbitmq()
    folder, port, secure_port = tmp_path_factory.mktemp("secure_rabbitmq"), free_port(), free_port()
    authority = make_authority(folder / "authority", "localhost")
    more = {
        "listeners.ssl.1": f"127.0.0.1:{secure_port}",
        "ssl_options.cacertfile": str(authority.file),
        "ssl_options.certfile": str(authority.server.chain),
        "ssl_options.keyfile": str(authority.server.key),
    }
    with rabbitmq_server(folder, port, {"rabbitmq": PASSWORD}, more):
        yield SecureBroker("amqps", "digits@", secure_port, authority)


@pytest.fixture(params=["valkey", "rabbitmq"])
def broker(request: pytest.FixtureRequest) -> SecureBroker:
    found: SecureBroker = request.getfixturevalue(f"secure_{request.param}")
    return found


def test_a_job_and_a_batch_reach_a_worker_and_its_answer_comes_back(broker: SecureBroker) -> None:
    app, jobs = app_of(broker.settings()), list[str]()
    replies = ReplyPublisher(app)

    def train(job_id: str) -> None:
        jobs.append(job_id)

    register_train_task(app, train)
    result = queue_pb2.ClassifyBatchResult(model_version="v1", probabilities=np.float32(1).tobytes())
    register_classify_task(app, replies, lambda batch: result.SerializeToString())
    app.conf.worker_enable_remote_control = True
    options = {"loglevel": "warning", "perform_ping_check": False, "queues": ["train", "classify"]}
    with start_worker(app, pool="solo", **options):
        CeleryTrainQueue(app_of(broker.settings())).enqueue("job-1")
        wait_until(lambda: jobs == ["job-1"], seconds=20, what="the job")
        queue = CeleryClassifyQueue(lambda: app_of(broker.settings()))
        assert queue.classify(queue_pb2.ClassifyBatch(pixels=bytes(784)), 10) == result
        queue.close()
    replies.close()


@pytest.mark.parametrize("wrong", ["name", "authority", "no authority", "password", "no password"])
def test_what_does_not_fit_is_refused_and_says_no_password(
    broker: SecureBroker, tmp_path: Path, wrong: str
) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    settings = {
        "name": broker.settings("127.0.0.1"),
        "authority": broker.settings(broker_ca_file=tmp_path / "ca.pem"),
        "no authority": broker.settings(broker_ca_file=None),
        "password": broker.settings(broker_password="guessed"),  # noqa: S106
        "no password": broker.settings(broker_password=""),
    }[wrong]
    with pytest.raises(QueueUnavailable) as refused:
        CeleryTrainQueue(app_of(settings)).enqueue("job-1")
    assert PASSWORD not in str(refused.value)
    queue = CeleryClassifyQueue(lambda: app_of(settings))
    with pytest.raises(QueueUnavailable):
        queue.classify(queue_pb2.ClassifyBatch(), 2)
