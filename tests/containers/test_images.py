from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.containers.podman import inspect, output

# The first test waits for the builds.
pytestmark = [pytest.mark.containers, pytest.mark.timeout(2400)]

# Each is one of the modules, or the program, that only training needs.
FOR_TRAINING = ("tensorflow", "keras", "pyspark", "onnx")


@pytest.mark.parametrize("module", FOR_TRAINING)
def test_what_serves_holds_nothing_that_only_training_needs(images: Mapping[str, str], module: str) -> None:
    finds = f"import importlib.util as u; print(u.find_spec({module!r}) is not None)"
    assert output(images["serve"], "python", "-c", finds) == "False"
    assert output(images["train"], "python", "-c", finds) == "True"


def test_what_serves_has_no_java_and_no_compiler(images: Mapping[str, str]) -> None:
    found = "for name in java gcc pip; do command -v $name; done; echo that is all"
    assert "java" in output(images["train"], "sh", "-c", found)
    assert output(images["serve"], "sh", "-c", found) in ("that is all", "/usr/local/bin/pip\nthat is all")


@pytest.mark.parametrize("stage", ["serve", "train", "embedded"])
def test_an_image_runs_as_a_user_who_can_change_nothing_but_the_state(
    images: Mapping[str, str], stage: str
) -> None:
    assert inspect(images[stage], "{{.Config.User}}") == "digits"
    writable = "for path in / /opt/digits /srv/digits /srv/digits/*; do test -w $path && echo $path; done"
    assert output(images[stage], "sh", "-c", f"id -u; {writable}; true").split() == [
        "10001",
        "/srv/digits/var",
    ]


@pytest.mark.parametrize("stage", ["serve", "train", "embedded"])
def test_an_image_says_how_its_health_is_checked(images: Mapping[str, str], stage: str) -> None:
    assert inspect(images[stage], "{{.HealthCheck.Test}}").startswith("[CMD ")


def test_the_train_image_holds_the_pinned_kafka_connector(images: Mapping[str, str]) -> None:
    jars = output(images["train"], "ls", "/opt/jars/spark-kafka").split()
    assert "spark-sql-kafka-0-10_2.13-4.2.0.jar" in jars


def test_the_installed_packages_agree_with_each_other(images: Mapping[str, str]) -> None:
    check = "pip --python /opt/digits/bin/python check"
    assert output(images["embedded"], "sh", "-c", check) == "No broken requirements found."
