"""What is written in deploy/nginx agrees with the service's settings, and each thing is written once."""

from __future__ import annotations

import re

import pytest

from digits.settings import Settings
from tests.front_door.nginx import BRIDGES, SERVERS, SOURCE

FILES = {path.name: path.read_text() for path in SOURCE.glob("*.conf")}
BYTES = {"": 1, "k": 1 << 10, "m": 1 << 20}
SECONDS = {"s": 1, "m": 60, "h": 3600}


def values(name: str, file: str, units: dict[str, int]) -> list[int]:
    """Every value of a directive in a file."""
    found = re.findall(rf"^\s*{name} (\d+)([smhk]?);", FILES[file], re.MULTILINE)
    assert found, f"{file} has no {name}"
    return [int(number) * units[unit] for number, unit in found]


def test_the_body_limits_are_the_services() -> None:
    message, upload = Settings().max_request_bytes, Settings().max_upload_bytes
    assert values("client_max_body_size", "rest.conf", BYTES) == [upload]
    # gRPC puts five bytes before a message; ClassifyStream sends as many messages as it likes.
    assert values("client_max_body_size", "grpc.conf", BYTES) == [message + 5, upload + upload // 16, 0]
    assert f'"the message is too large: {message} bytes are allowed"' in FILES["grpc.conf"]
    assert f"at most {upload:,} bytes are allowed" in FILES["rest.conf"]


def test_an_address_may_have_as_many_calls_and_trainings_open_as_the_service_allows_a_caller() -> None:
    settings, limits = Settings(), dict(re.findall(r"limit_conn (\w+) (\d+);", FILES["grpc.conf"]))
    assert int(limits["addresses"]) == settings.max_calls_per_caller
    assert int(limits["trainings"]) == settings.max_jobs_per_caller


@pytest.mark.parametrize(
    ("directive", "file"), [("grpc_read_timeout", "grpc.conf"), ("proxy_read_timeout", "rest.conf")]
)
def test_three_heartbeats_may_be_lost_before_a_stream_is_cut(directive: str, file: str) -> None:
    rules = Settings.model_fields["heartbeat_seconds"].metadata
    max_silence = next(rule.le for rule in rules if hasattr(rule, "le"))
    assert min(values(directive, file, SECONDS)) >= 3 * max_silence


def test_every_upstream_is_in_one_file_and_nothing_else_is() -> None:
    listed = FILES["upstreams.conf"]
    assert re.findall(r"^ +server (\S+) ", listed, re.MULTILINE) == [*SERVERS, *BRIDGES]
    assert set(re.findall(r"^ *(\w+)", listed, re.MULTILINE)) == {"upstream", "server", "zone", "keepalive"}
    for name in FILES.keys() - {"upstreams.conf"}:
        assert not re.search(r"\d+\.\d+\.\d+\.\d+|upstream \w+ \{", FILES[name]), name
        assert set(re.findall(r"_pass (\S+);", FILES[name])) <= {"grpc://servers", "http://bridges"}
