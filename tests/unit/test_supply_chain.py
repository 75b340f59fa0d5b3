"""What is installed is what was locked, whoever serves it; and a list says what that is."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from deploy import sbom
from deploy.containers.build import mirrors
from tests.conftest import ROOT

LOCKS = [ROOT / "requirements.lock", *sorted((ROOT / "deploy" / "containers").glob("*.lock"))]
IMAGES: dict[str, list[str]] = {"serve": [], "train": ["train"], "embedded": ["train", "embedded"]}


def entries(lock: Path) -> dict[str, str]:
    """Name, version and marker of each package, and its checksums."""
    found = re.split(r"\n(?=\S)", lock.read_text(encoding="utf-8").rstrip())
    return {entry.partition(" \\\n")[0]: entry.partition(" \\\n")[2] for entry in found}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_package_of_a_lock_has_checksums_and_no_address(lock: Path) -> None:
    for package, checksums in entries(lock).items():
        assert re.fullmatch(r"[\w.-]+==[\w.+!-]+( ; .*)?", package), package
        lines = [line.strip(" \\") for line in checksums.splitlines()]
        assert lines
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", line) for line in lines), package


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_has_what_the_project_asks_for_in_the_versions_that_are_tested(image: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"]]
    for extra in IMAGES[image]:
        asked += project["optional-dependencies"][extra]
    installed = entries(ROOT / "deploy" / "containers" / f"{image}.lock")
    pins = {package.partition(" ")[0] for package in installed}
    assert {re.sub(r"\[.*\]|;.*", "", line).strip() for line in asked} <= pins
    tested = {
        package.partition(" ")[0]: checksums
        for package, checksums in entries(ROOT / "requirements.lock").items()
    }
    for package, checksums in installed.items():
        assert tested[package.partition(" ")[0]] == checksums


def test_the_list_has_every_package_and_every_jar_with_its_checksums() -> None:
    lock = "flask==3.1.3 \\\n    --hash=sha256:" + "a" * 64 + " \\\n    --hash=sha256:" + "b" * 64
    lock += "\ncolorama==0.4.6 ; sys_platform == 'win32' \\\n    --hash=sha256:" + "c" * 64 + "\n"
    jars = f"kafka org.slf4j:slf4j-api:1.7.36 {'d' * 64}\nhdfs org.slf4j:slf4j-api:1.7.36 {'d' * 64}\n"
    made = [*sbom.packages(lock), *sbom.java_archives(jars)]
    found = json.loads(sbom.document(iter(made)))
    assert found["bomFormat"] == "CycloneDX"
    assert {
        part["purl"]: [each["content"][0] for each in part["hashes"]] for part in found["components"]
    } == {
        "pkg:pypi/flask@3.1.3": ["a", "b"],
        "pkg:pypi/colorama@0.4.6": ["c"],
        "pkg:maven/org.slf4j/slf4j-api@1.7.36": ["d"],
    }


def test_the_list_is_of_what_is_locked_now() -> None:
    urls = [str(part.purl) for part in sbom.everything()]
    assert len(urls) == len(set(urls))
    assert {"pkg:pypi/kazoo@2.11.0", "pkg:maven/org.apache.kafka/kafka-clients@4.1.2"} <= set(urls)


def test_an_image_keeps_no_address_of_a_mirror_which_may_hold_a_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "ARG " not in (ROOT / "Dockerfile").read_text(encoding="utf-8")
    monkeypatch.setenv("PIP_INDEX_URL", "https://user:hush@mirror.example/simple")
    monkeypatch.setenv("DIGITS_MAVEN_URL", "https://user:hush@mirror.example/maven")
    with mirrors() as options:
        assert "hush" not in " ".join(options)
        source = Path(options[0].partition("src=")[2])
        assert "index-url = https://user:hush@mirror.example/simple" in source.read_text(encoding="utf-8")
    assert not source.exists()


def test_make_and_the_images_install_by_checksum_alone() -> None:
    for name in ("Makefile", "Dockerfile"):
        text = (ROOT / name).read_text(encoding="utf-8")
        installs = re.findall(r"pip (?:--python \S+ )?install[^\n]*(?:\\\n[^\n]*)?", text)
        assert installs
        for command in installs:
            assert (
                "--require-hashes" in command or "--no-build-isolation" in command or "pip-audit" in command
            )
