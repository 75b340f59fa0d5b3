"""Whom Spark's driver talks to."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from digits.settings import Settings
from spark_jobs import session


@pytest.mark.parametrize(
    ("master", "secret", "authenticated"),
    [
        ("local[*]", "", True),
        ("k8s://https://kubernetes.default.svc:443", "", True),
        ("spark://master:7077", "shared", True),
        # A cluster of somebody else's, which has none.
        ("spark://master:7077", "", False),
    ],
)
def test_a_driver_talks_to_strangers_only_on_a_cluster_that_has_no_secret(
    master: str, secret: str, authenticated: bool
) -> None:
    settings = Settings(spark_master=master, spark_secret=SecretStr(secret))
    expected = {"spark.authenticate": "true", "spark.network.crypto.enabled": "true"}
    assert session.security(settings) == (expected if authenticated else {})
