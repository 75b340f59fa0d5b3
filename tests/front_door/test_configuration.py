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
    rest, by_grpc = (values("client_max_body_size", name, BYTES) for name in ("rest.conf", "grpc.conf"))
    small, picture = 64 << 10, 11 << 20
    assert picture > Settings().max_image_bytes
    assert rest == [upload, small, picture, small]
    # 1,024 pictures as bytes or as numbers; gRPC's own five bytes; ClassifyStream has no end.
    pieces = upload + upload // 16
    assert by_grpc == [pieces, small, picture, 2 << 20, small, message + 5, 0, small]
    assert (
        f"{message} bytes are allowed for a batch, {picture} for a picture, {small} for" in FILES["grpc.conf"]
    )
    assert (
        f"{upload:,} bytes are allowed for a batch, {picture:,} for a picture, {small:,}"
        in FILES["rest.conf"]
    )


def test_an_address_may_call_so_often_and_no_more() -> None:
    zones = dict(re.findall(r"limit_req_zone \S+ zone=(\w+):10m rate=(\d+)r/s;", FILES["nginx.conf"]))
    assert zones == {"calls": "5000", "trainings_begun": "2"}
    for name, trainings in (("grpc.conf", 2), ("rest.conf", 1)):
        # A location that names one zone of its own has to name the others too.
        zones_of_calls = re.findall(r"limit_req zone=(\w+) ", FILES[name])
        assert zones_of_calls == ["calls", *["calls", "trainings_begun"] * trainings]
        assert values("http2_max_concurrent_streams", name, {"": 1})
    assert values("keepalive_requests", "nginx.conf", {"": 1})


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
