"""A job that lasts long enough to be broken."""

from __future__ import annotations

import pytest

from digits.v1 import training_pb2 as pb
from tests.service import Service


def start_long_job(service: Service, recipe: str = "standard") -> str:
    """Starts a job of many micro-batches, waits until two are committed, and returns its id."""
    with service.client() as client:
        for progress in client.train(images_batch_path="tiny.npz", recipe=recipe, promotion=pb.NEVER):
            if progress.micro_batch >= 2:
                return progress.job_id
    pytest.fail("the job ended before it could be broken")
