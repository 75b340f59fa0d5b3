"""TensorFlow as executors have it."""

from __future__ import annotations

import pytest

from spark_jobs import partition_trainer


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """Before any test has TensorFlow compute something: after that it cannot be set any more."""
    partition_trainer.use_one_thread()
