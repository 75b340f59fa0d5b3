"""A job's topic that is not what it was, after the first epoch: every image counts once all the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from confluent_kafka import KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from digits import bootstrap
from digits.adapters.kafka import KafkaLog
from digits.v1 import training_pb2 as pb
from tests.e2e.test_outages import watched_to_the_end
from tests.service import Service
from tests.waiting import wait_until

Options = Mapping[str, str]


def deleted(admin: AdminClient, options: Options, topic: str) -> None:
    """The topic is gone."""
    admin.delete_topics([topic])[topic].result(10)


def made_again(admin: AdminClient, options: Options, topic: str, partitions: int = 0) -> None:
    """Another topic has its name."""
    known = len(admin.list_topics(topic, timeout=10).topics[topic].partitions)
    deleted(admin, options, topic)

    def made() -> bool:
        new = NewTopic(topic, num_partitions=partitions or known, replication_factor=1)
        try:
            admin.create_topics([new])[topic].result(10)
        except KafkaException:
            return False
        return True

    wait_until(made, what="the topic's second life")


def made_again_with_other_partitions(admin: AdminClient, options: Options, topic: str) -> None:
    """The same, and blocks would go elsewhere."""
    made_again(admin, options, topic, partitions=5)


def shortened(admin: AdminClient, options: Options, topic: str) -> None:
    """Its first records are too old."""
    first_kept = TopicPartition(topic, 0, 3)
    admin.delete_records([first_kept])[first_kept].result(10)


def written_to(admin: AdminClient, options: Options, topic: str) -> None:
    """Somebody else took it for theirs."""
    producer = Producer(dict(options))
    producer.produce(topic, b"hello", key="a word", partition=0)
    assert producer.flush(10) == 0


@pytest.mark.parametrize(
    "broken", [deleted, made_again, made_again_with_other_partitions, shortened, written_to]
)
def test_a_log_that_is_broken_in_a_later_epoch_loses_no_image(
    trained: Service, broken: Callable[[AdminClient, Options, str], None]
) -> None:
    log = bootstrap.log(trained.settings())
    assert isinstance(log, KafkaLog)
    options = log._connection.librdkafka()
    admin = AdminClient(dict(options))
    with trained.client() as client:
        stream = client.train(images_batch_path="tiny.npz", recipe="standard", promotion=pb.NEVER)
        job_id = next(progress.job_id for progress in stream if progress.epoch >= 2)
        broken(admin, options, f"digits-{job_id}")
        last = watched_to_the_end(client, job_id)
        job = client.get_job(job_id)
    assert (last.state, last.images_trained) == (pb.SUCCEEDED, last.images_total), job.last_problem
    wait_until(lambda: not _has(admin, job_id), what="the log's end")


def _has(admin: AdminClient, job_id: str) -> bool:
    return f"digits-{job_id}" in admin.list_topics(timeout=10).topics
