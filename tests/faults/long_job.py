"""A job that lasts long enough to be broken."""

from __future__ import annotations

import pytest

from digits.training import recipes
from digits.v1 import training_pb2 as pb
from spark_jobs.plan import Plan
from tests.service import Service

# Of the 2,048 of tiny.npz, in all passes of all epochs; as many in any number of partitions.
IMAGES_OF_LONG_JOB = Plan(recipes.STANDARD, 2_048, partitions=2).total_images


def start_long_job(service: Service, recipe: str = "standard") -> str:
    """Starts a job of many micro-batches, waits until two are committed, and returns its id."""
    with service.client() as client:
        for progress in client.train(images_batch_path="tiny.npz", recipe=recipe, promotion=pb.NEVER):
            if progress.micro_batch >= 2:
                return progress.job_id
    pytest.fail("the job ended before it could be broken")
