"""Another user of this machine, who reaches every port of the embedded stack and knows no secret."""

from __future__ import annotations

import stat

import pytest
import redis

from tests.service import Service
from tests.strangers import hears_nothing_of_zookeeper, secrets_shown


def test_zookeeper_tells_a_stranger_nothing(service: Service) -> None:
    hears_nothing_of_zookeeper(service)


def test_valkey_tells_a_stranger_nothing(service: Service) -> None:
    stranger = redis.Redis.from_url(service.settings().broker_url)
    with stranger, pytest.raises(redis.AuthenticationError):
        stranger.keys("*")


def test_no_secret_is_on_a_command_line_in_the_record_or_in_a_log(service: Service) -> None:
    assert secrets_shown(service) == []


def test_the_state_folder_is_its_owners_alone(service: Service) -> None:
    assert stat.S_IMODE(service.var_dir.stat().st_mode) == 0o700
