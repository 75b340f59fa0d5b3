"""A batch in HDFS is trained on as one in the data folder is."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import numpy as np
import pytest

from digits.adapters.hdfs import HdfsStore
from digits.client.errors import RemoteError
from digits.v1 import training_pb2 as pb
from tests.service import Service


@pytest.fixture(scope="module")
def shards(trained: Service) -> str:
    """The folder's address: the training images of slice.npz, cut into four files."""
    url = trained.settings().batches_url
    parts = urlsplit(url)
    store = HdfsStore([parts.netloc], parts.path)
    with np.load(trained.data_dir / "slice.npz") as arrays:
        cut = [np.array_split(arrays[name], 4) for name in ("x_train", "y_train")]
    for number, (pixels, labels) in enumerate(zip(*cut, strict=True)):
        file = trained.var_dir / f"part-{number}.npz"
        np.savez_compressed(file, x_train=pixels, y_train=labels)
        store.publish(f"shards/part-{number}.npz", file)
    return f"{url}/shards"


def test_a_folder_of_shards_is_read_by_sparks_tasks_and_trained_on_whole(
    trained: Service, shards: str
) -> None:
    with trained.client() as client:
        last = list(client.train(images_batch_path=shards, promotion=pb.NEVER))[-1]
        job = client.get_job(last.job_id)
    # Two epochs, and of shards without test images every eleventh is held out.
    assert (last.state, last.images_total) == (pb.SUCCEEDED, 2 * (12_000 - 1_091))
    assert last.images_trained == last.images_total
    assert (job.blocks_by_shard, job.attempt_count) == (True, 1)


def test_the_command_line_takes_an_address_and_a_pattern(trained: Service, shards: str) -> None:
    done = trained.command("train", "hdfs:///batches/shards/part-[01]*", "--promotion", "never", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["state"] == "SUCCEEDED"


def test_what_the_service_keeps_in_hdfs_is_no_batch(trained: Service) -> None:
    with trained.client() as client, pytest.raises(RemoteError, match=r"is not below hdfs:///batches/"):
        list(client.train(images_batch_path="hdfs:///digits/uploads"))
