"""The pinned jars: they appear whole or not at all."""

from __future__ import annotations

import hashlib
import ssl
import stat
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import trustme

from deploy.native.downloads import jars, maven
from deploy.native.downloads.http import downloader
from deploy.native.errors import CannotFetch, CannotStart
from tests.web_folder import web_folder

CONTENT = {"org.one:first:1.0": b"the first", "org.two:second:2.1": b"the second"}
PINNED = {name: hashlib.sha256(content).hexdigest() for name, content in CONTENT.items()}


def repository(content: dict[str, bytes], calls: list[str]) -> jars.Fetch:
    """A repository with these jars; notes each call."""

    def fetch(wanted: Mapping[str, str], target: Path) -> None:
        calls.append(target.name)
        for name in wanted:
            if name not in content:
                raise CannotFetch(f"{name} is not there")
            (target / maven.file_name(name)).write_bytes(content[name])

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
        (tmp_path / "servers" / maven.file_name(name)).write_bytes(content)
    assert jars.complete("servers", PINNED, tmp_path, repository({}, [])) == tmp_path / "servers"


def test_two_fetches_at_once_fetch_once_and_both_get_the_jars(tmp_path: Path) -> None:
    calls: list[str] = []
    inside, go_on = threading.Event(), threading.Event()

    def slow(wanted: Mapping[str, str], target: Path) -> None:
        inside.set()
        assert go_on.wait(10)
        repository(CONTENT, calls)(wanted, target)

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


@pytest.fixture
def maven_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A Maven repository with the two jars, named by the environment; no second try of what fails."""
    monkeypatch.setattr(maven, "RETRIES", 0)
    for name, content in CONTENT.items():
        jar = Path(maven.address(str(tmp_path / "repository"), name))
        jar.parent.mkdir(parents=True)
        jar.write_bytes(content)
    with web_folder(tmp_path / "repository") as url:
        monkeypatch.setenv("DIGITS_MAVEN_URL", f"{url}/")
        yield tmp_path / "repository"


@pytest.mark.usefixtures("maven_repository")
def test_jars_are_fetched_from_the_repository_that_the_environment_names(tmp_path: Path) -> None:
    folder = jars.complete("servers", PINNED, tmp_path / "jars", maven.fetch)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        "first-1.0.jar": b"the first",
        "second-2.1.jar": b"the second",
    }


@pytest.mark.usefixtures("maven_repository")
def test_a_fetched_jar_is_for_every_user_of_an_image(tmp_path: Path) -> None:
    folder = jars.complete("servers", PINNED, tmp_path / "jars", maven.fetch)
    assert [path.name for path in folder.iterdir() if not path.stat().st_mode & stat.S_IROTH] == []


def test_a_jar_that_the_repository_lacks_is_told_with_its_address(
    maven_repository: Path, tmp_path: Path
) -> None:
    (maven_repository / "org/two/second/2.1/second-2.1.jar").unlink()
    with pytest.raises(CannotStart, match=r"org/two/second/2\.1/second-2\.1\.jar: 404 .*DIGITS_MAVEN_URL"):
        jars.complete("servers", PINNED, tmp_path / "jars", maven.fetch)
    assert [path.name for path in (tmp_path / "jars").iterdir()] == [".servers.lock"]


def test_a_jar_that_is_another_in_the_repository_is_refused(maven_repository: Path, tmp_path: Path) -> None:
    (maven_repository / "org/one/first/1.0/first-1.0.jar").write_bytes(b"another")
    with pytest.raises(CannotStart, match=r"first-1\.0\.jar: SHA256 hash .* does not match"):
        jars.complete("servers", PINNED, tmp_path / "jars", maven.fetch)


def test_a_mirror_that_the_machine_trusts_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    authority.cert_pem.write_to_path(tmp_path / "authorities.pem")
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authorities.pem"))
    (tmp_path / "file").write_bytes(b"trusted")
    with web_folder(tmp_path, tls) as url:
        downloader(10)(f"{url}/file", tmp_path / "copy", None)
    assert (tmp_path / "copy").read_bytes() == b"trusted"


def test_the_lock_names_no_host() -> None:
    """It says which jars; where they come from is the user's to choose."""
    rows = [line.split() for line in jars.LOCK.read_text(encoding="utf-8").splitlines()]
    assert all(len(coordinates.split(":")) == 3 and len(checksum) == 64 for _, coordinates, checksum in rows)


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


def test_without_a_setting_jars_come_from_the_repository_that_spark_itself_knows() -> None:
    assert maven.maven_central().startswith("https://")
