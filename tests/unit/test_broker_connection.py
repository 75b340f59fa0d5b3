"""What Celery is told of the broker."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from pydantic import SecretStr

from digits.adapters.broker_connection import address, tls
from digits.settings import Settings


@pytest.mark.parametrize(
    ("url", "whole"),
    [
        ("redis://127.0.0.1:6379/0", "redis://:p%2Fw%40@127.0.0.1:6379/0"),
        ("rediss://localhost:6379/1", "rediss://:p%2Fw%40@localhost:6379/1"),
        ("amqp://digits@host:5672//", "amqp://digits:p%2Fw%40@host:5672//"),
        ("amqps://digits@host:5671/vhost", "amqps://digits:p%2Fw%40@host:5671/vhost"),
        ("amqp://digits:its-own@host:5672//", "amqp://digits:its-own@host:5672//"),
    ],
)
def test_a_password_of_its_own_setting_comes_into_an_address_that_has_none(url: str, whole: str) -> None:
    assert address(Settings(broker_url=url, broker_password=SecretStr("p/w@"))) == whole
    assert address(Settings(broker_url=url)) == url


def test_by_tls_the_hosts_name_is_checked_whether_there_is_a_ca_of_ones_own_or_not() -> None:
    amqp = tls(Settings(broker_url="amqps://digits@rabbit.example:5671//"))
    assert amqp == {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": "rabbit.example"}
    redis = tls(Settings(broker_url="rediss://valkey.example:6379/0", broker_ca_file=Path("/ca.pem")))
    assert redis == {
        "ssl_cert_reqs": ssl.CERT_REQUIRED,
        "ssl_check_hostname": True,
        "ssl_ca_certs": "/ca.pem",
    }


def test_without_tls_there_is_nothing_to_check() -> None:
    assert tls(Settings(broker_url="redis://127.0.0.1:6379/0")) is None
