"""The pinned jars: they appear whole or not at all."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from deploy.native import ivy, jars
from deploy.native.errors import CannotFetch, CannotStart

CONTENT = {"org.one:first:1.0": b"the first", "org.two:second:2.1": b"the second"}
PINNED = {name: hashlib.sha256(content).hexdigest() for name, content in CONTENT.items()}


def repository(content: dict[str, bytes], calls: list[str]) -> jars.Fetch:
    """A repository with these jars; notes each call."""

    def fetch(coordinates: Sequence[str], target: Path, log: Path) -> None:
        calls.append(target.name)
        for name in coordinates:
            if name not in content:
                raise CannotFetch(f"its log is {log}")
            (target / jars.file_name(name)).write_bytes(content[name])

    return fetch


def test_the_folder_holds_exactly_the_pinned_jars_and_is_fetched_once(tmp_path: Path) -> None:
    calls: list[str] = []
    for _ in range(2):
        folder = jars.complete("servers", PINNED, tmp_path, repository(CONTENT, calls))
    assert sorted(path.name for path in folder.iterdir()) == ["first-1.0.jar", "second-2.1.jar"]
    assert len(calls) == 1


def test_a_jar_with_a_wrong_checksum_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    bad = {**CONTENT, "org.two:second:2.1": b"another"}
    with pytest.raises(CannotStart, match=r"second-2\.1\.jar has a wrong checksum"):
        jars.complete("servers", PINNED, tmp_path, repository(bad, []))
    assert [path.name for path in tmp_path.iterdir()] == [".servers.lock"]


def test_a_half_fetch_leaves_nothing_and_says_what_to_do(tmp_path: Path) -> None:
    half = {"org.one:first:1.0": b"the first"}
    with pytest.raises(CannotStart, match=r"HTTPS_PROXY or DIGITS_MAVEN_URL .*DIGITS_JARS_DIR/servers"):
        jars.complete("servers", PINNED, tmp_path, repository(half, []))
    assert [path.name for path in tmp_path.iterdir()] == [".servers.lock"]


@pytest.mark.parametrize("damage", ["truncated", "missing", "foreign"])
def test_a_folder_that_was_damaged_is_fetched_again(tmp_path: Path, damage: str) -> None:
    calls: list[str] = []
    folder = jars.complete("servers", PINNED, tmp_path, repository(CONTENT, calls))
    if damage == "truncated":
        (folder / "first-1.0.jar").write_bytes(b"the")
    elif damage == "missing":
        (folder / "first-1.0.jar").unlink()
    else:
        (folder / "third-3.0.jar").write_bytes(b"from elsewhere")
    assert jars.complete("servers", PINNED, tmp_path, repository(CONTENT, calls)) == folder
    assert len(calls) == 2
    assert jars.faults(folder, PINNED) == []


def test_jars_put_there_by_hand_are_taken_without_a_network(tmp_path: Path) -> None:
    (tmp_path / "servers").mkdir()
    for name, content in CONTENT.items():
        (tmp_path / "servers" / jars.file_name(name)).write_bytes(content)
    assert jars.complete("servers", PINNED, tmp_path, repository({}, [])) == tmp_path / "servers"


def test_two_fetches_at_once_fetch_once_and_both_get_the_jars(tmp_path: Path) -> None:
    calls: list[str] = []
    inside, go_on = threading.Event(), threading.Event()

    def slow(coordinates: Sequence[str], target: Path, log: Path) -> None:
        inside.set()
        assert go_on.wait(10)
        repository(CONTENT, calls)(coordinates, target, log)

    threads = [
        threading.Thread(target=jars.complete, args=("servers", PINNED, tmp_path, slow)) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    assert inside.wait(10)
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert len(calls) == 1
    assert jars.faults(tmp_path / "servers", PINNED) == []


def test_ivy_is_asked_for_each_jar_by_itself_through_the_proxy_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    assert ivy.module_file(["org.one:first:1.0"]).count('transitive="false"') == 1
    assert {"-Dhttps.proxyHost=proxy.example", "-Dhttps.proxyPort=3128"} <= set(ivy.proxy_options())


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(CannotStart, match="choose from hdfs, kafka, spark-kafka"):
        jars.pinned(jars.LOCK, "kafak")


def test_spark_gets_no_jar_that_it_has() -> None:
    """Two versions of one class on Spark's class path would be the caller's to find."""
    artifacts = {name.split(":")[1] for name in jars.pinned(jars.LOCK, "spark-kafka")}
    assert artifacts == {
        "commons-pool2",
        "kafka-clients",
        "spark-sql-kafka-0-10_2.13",
        "spark-token-provider-kafka-0-10_2.13",
    }


def test_the_cache_is_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("DIGITS_JARS_DIR", raising=False)
    assert jars.cache() == tmp_path / "digitservice" / "jars"
    monkeypatch.setenv("DIGITS_JARS_DIR", str(tmp_path / "mine"))
    assert jars.cache() == tmp_path / "mine"
