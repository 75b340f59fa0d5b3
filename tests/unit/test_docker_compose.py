from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from digits.settings import Settings

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
STAGES = re.findall(r"^FROM \S+ AS (\S+)$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)


def variables(service: dict[str, Any]) -> dict[str, Any]:
    """The service's DIGITS_ variables."""
    given = service.get("environment", {})
    return {name: value for name, value in given.items() if name.startswith("DIGITS_")}


def test_every_digits_variable_is_a_setting() -> None:
    known = {f"DIGITS_{name.upper()}" for name in Settings.model_fields}
    assert {name for service in SERVICES.values() for name in variables(service)} <= known


def test_every_process_can_read_its_settings() -> None:
    for service in SERVICES.values():
        given = {name.removeprefix("DIGITS_").lower(): value for name, value in variables(service).items()}
        Settings(**given)


def test_every_url_names_a_service() -> None:
    for service in SERVICES.values():
        urls = [urlsplit(value) for value in variables(service).values() if "://" in str(value)]
        assert {url.hostname for url in urls} <= set(SERVICES)


def test_whatever_is_waited_for_is_healthy_before_it_is_used() -> None:
    for service in SERVICES.values():
        for name, awaited in service.get("depends_on", {}).items():
            assert SERVICES[name]["healthcheck"], name
            assert awaited == {"condition": "service_healthy"}, name


def test_a_process_waits_for_every_server_that_its_settings_name() -> None:
    for name, service in SERVICES.items():
        named = {urlsplit(value).hostname for value in variables(service).values() if "://" in str(value)}
        assert named <= awaited_by(name) | {name}, name


def awaited_by(name: str) -> set[str]:
    """The services that are healthy before this one starts."""
    nearest = set(SERVICES[name].get("depends_on", {}))
    return nearest.union(*(awaited_by(other) for other in nearest))


def test_only_the_bridge_and_grpc_are_published_and_only_on_loopback() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {"bridge": ["127.0.0.1:5000:5000"], "server": ["127.0.0.1:50051:50051"]}


def test_every_public_image_is_pinned_and_our_own_are_stages_of_the_dockerfile() -> None:
    for name, service in SERVICES.items():
        if "build" in service:
            assert service["image"] == f"digits:{service['build']['target']}", name
            assert service["build"]["target"] in STAGES, name
        else:
            assert re.fullmatch(r"[a-z/]+:\d+\.\d+\.\d+(@sha256:[0-9a-f]{64})?", service["image"]), name


def test_every_service_has_limits_and_comes_back_when_it_dies() -> None:
    for name, service in SERVICES.items():
        assert {"cpus", "memory"} <= set(service["deploy"]["resources"]["limits"]), name
        assert service["restart"] == "unless-stopped", name


def test_every_container_of_our_own_is_read_only_and_has_no_rights() -> None:
    for name, service in SERVICES.items():
        if "build" in service:
            assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"]), name
            assert service["security_opt"] == ["no-new-privileges:true"], name


def test_every_volume_is_used_and_declared() -> None:
    mounted = {
        mount.partition(":")[0] for service in SERVICES.values() for mount in service.get("volumes", [])
    }
    assert mounted == set(COMPOSE["volumes"])
