"""What `digits doctor` finds, and the line that mends it."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from deploy.native.doctor import certificates, data, machine, network, systems
from deploy.native.doctor.finding import Finding, Health, wrong
from digits.settings import Settings


@pytest.fixture
def taken() -> Iterator[int]:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        yield listener.getsockname()[1]


def by_subject(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.subject: finding for finding in findings}


def test_a_port_that_is_taken_is_said_with_another_to_take(taken: int, tmp_path: Path) -> None:
    settings = Settings(var_dir=tmp_path, rest_port=taken, grpc_port=0)
    found = by_subject(network.ports(settings))
    assert found["gRPC port"].health is Health.FINE
    assert found["REST port"].health is Health.WRONG
    assert found["REST port"].found.startswith(f"127.0.0.1:{taken} is taken by ")
    assert found["REST port"].mend.endswith(f"DIGITS_REST_PORT={taken + 1000} digits up")


def test_airplay_is_named_on_a_mac(monkeypatch: pytest.MonkeyPatch, taken: int, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.setattr(network, "AIRPLAY_PORTS", (taken,))
    found = by_subject(network.ports(Settings(var_dir=tmp_path, rest_port=taken, grpc_port=0)))
    assert "turn off AirPlay Receiver" in found["REST port"].mend


def test_a_proxy_that_is_not_kept_from_this_machine_is_doubtful() -> None:
    proxy = {"http_proxy": "http://proxy:3128"}
    assert network.proxies({}).health is Health.FINE
    assert network.proxies(proxy).mend == "export no_proxy=127.0.0.1,localhost,::1"
    assert network.proxies({**proxy, "no_proxy": "localhost,127.0.0.1"}).health is Health.FINE


def test_a_java_that_nobody_tried_is_doubtful(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "find_java", lambda: "/opt/java")
    monkeypatch.setattr(machine, "java_version", lambda _: 26)
    assert machine.java().health is Health.DOUBTFUL
    monkeypatch.setattr(machine, "java_version", lambda _: 21)
    assert machine.java() == Finding("Java", Health.FINE, "/opt/java is Java 21")


def test_no_java_is_wrong_and_how_to_get_one_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    found = machine.java()
    assert (found.health, found.found) == (Health.WRONG, f"no Java in JAVA_HOME={tmp_path}")
    assert "apt-get install openjdk-17-jre-headless" in found.mend


@pytest.mark.parametrize(
    ("free", "health"), [(9 << 30, Health.FINE), (3 << 30, Health.DOUBTFUL), (1 << 20, Health.WRONG)]
)
def test_a_full_disk_is_found_before_the_service_meets_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free: int, health: Health
) -> None:
    usage = type("Usage", (), {"free": free})
    monkeypatch.setattr("shutil.disk_usage", lambda folder: usage)
    assert machine.disk(Settings(var_dir=tmp_path / "not" / "there")).health is health


def test_data_that_is_missing_or_damaged_is_said_with_how_to_fetch_it(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    settings = Settings(data_dir=folder, reference_batch="mine.npz")
    assert data.data(settings)[0].mend.startswith(f"mkdir -p {folder}")
    folder.mkdir()
    missing, reference = data.data(settings)
    assert missing.mend == f"python -m deploy.native.downloads.mnist {folder}/mnist.npz"
    assert reference.found == "no file 'mine.npz'"
    (folder / "mnist.npz").write_bytes(b"half of it")
    damaged, _ = data.data(settings)
    assert (damaged.health, damaged.mend.partition(" && ")[0]) == (
        Health.WRONG,
        f"mv {folder}/mnist.npz {folder}/mnist.npz.other",
    )


@pytest.mark.parametrize(
    ("setting", "url"),
    [
        ("store_url", "webhdfs://127.0.0.1:{}/digits"),
        ("coordinator_url", "zookeeper://127.0.0.1:{}/digits"),
        ("broker_url", "redis://me:secret@127.0.0.1:{}/0"),
        ("spark_master", "spark://127.0.0.1:{}"),
    ],
)
def test_a_real_server_that_is_away_is_named_without_its_password(setting: str, url: str) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        settings = Settings(**{setting: url.format(bound.getsockname()[1])})
        (found,) = systems.systems(settings)
    assert (found.subject, found.health) == (setting, Health.WRONG)
    assert "secret" not in found.found + found.mend
    assert found.mend == f"start it, or unset DIGITS_{setting.upper()}: `digits up` starts its own"


def test_an_hdfs_of_batches_that_is_away_is_named_with_what_there_is_without_it() -> None:
    (found,) = systems.systems(Settings(batches_url="webhdfs://127.0.0.1:1/batches"))
    assert "HDFS does not answer" in found.found
    assert found.mend == "start it, or unset DIGITS_BATCHES_URL: batches are read from the data folder"


def test_a_url_that_no_adapter_knows_is_wrong_and_a_folder_that_is_there_is_fine(tmp_path: Path) -> None:
    (unknown,) = systems.systems(Settings(store_url="s3://bucket"))
    assert unknown.found.startswith("DIGITS_STORE_URL: file://… or webhdfs://… or swebhdfs://… is supported")
    (known,) = systems.systems(Settings(store_url=f"file://{tmp_path}"))
    assert known.health is Health.FINE


@pytest.mark.parametrize(
    ("setting", "url", "said", "form"),
    [
        ("broker_url", "127.0.0.1:6379", "redis://… or rediss://… or", "redis://127.0.0.1:6379/0"),
        ("broker_url", "me:secret@localhost", "not 'localhost'", "redis://127.0.0.1:6379/0"),
        ("broker_url", "http://me:secret@h:80", "not 'h:80'", "redis://127.0.0.1:6379/0"),
        ("broker_url", "redis:127.0.0.1:1/0", "redis://…", "redis://127.0.0.1:6379/0"),
        ("broker_url", "redis://me:secret@h:1:2/0", "one HOST:PORT is needed, not 'h:1:2'", "redis://"),
        ("broker_url", "redis:/:secret@h:1/0", "is supported, not 'h:1/0'", "redis://"),
        ("broker_url", "foo://u:se/secret@h", "is supported, not 'h'", "redis://"),
        ("broker_url", "redis://:secret/x@h:1/0", "one HOST:PORT is needed, not 'h:1'", "redis://"),
        ("broker_url", "redis://h:1,g:2/0", "one HOST:PORT is needed, not 'h:1,g:2'", "redis://"),
        ("broker_url", "redis://[::1/0", "Invalid IPv6 URL", "redis://"),
        ("store_url", "webhdfs://h:1:2/d", "HOST:PORT[,HOST:PORT] is needed, not 'h:1:2'", "webhdfs://"),
        ("batches_url", "hdfs://h/b", "webhdfs://… or swebhdfs://… is supported", "webhdfs://"),
        ("log_url", "kafka://h:1:2", "HOST:PORT[,HOST:PORT] is needed, not 'h:1:2'", "kafka://"),
        ("coordinator_url", "127.0.0.1:2181", "zookeeper://… or", "zookeeper://127.0.0.1:2181/digits"),
        ("coordinator_url", "zookeeper://h:1:2/d", "is needed, not 'h:1:2'", "zookeeper://"),
        ("spark_master", "127.0.0.1:7077", "spark://… is supported", "spark://127.0.0.1:7077"),
        ("spark_master", "spark://127.0.0.1", "is needed, not '127.0.0.1'", "spark://127.0.0.1:7077"),
    ],
)
def test_an_address_that_is_none_is_the_problem_that_is_named_with_the_form_that_is_right(
    setting: str, url: str, said: str, form: str
) -> None:
    (found,) = systems.systems(Settings(**{setting: url}))
    assert (found.subject, found.health) == (setting, Health.WRONG)
    assert said in found.found
    assert found.mend.startswith(f"DIGITS_{setting.upper()}={form}")
    assert "secret" not in found.found + found.mend


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.mark.parametrize(("days", "health"), [(90, Health.FINE), (9, Health.DOUBTFUL), (-2, Health.WRONG)])
def test_a_certificate_is_known_by_the_days_that_are_left(
    authority: trustme.CA, tmp_path: Path, days: int, health: Health
) -> None:
    ends = datetime.now(UTC) + timedelta(days=days, hours=1)
    made = authority.issue_cert("localhost", not_after=ends, not_before=ends - timedelta(days=99))
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    made.cert_chain_pems[0].write_to_path(chain)
    made.private_key_pem.write_to_path(key)
    settings = Settings(tls_certificate_file=chain, tls_key_file=key)
    (found,) = certificates.certificates(settings)
    assert found.health is health
    key.write_text("no key")
    assert certificates.certificates(settings)[0].health is Health.WRONG


def test_listening_for_everybody_is_found(tmp_path: Path) -> None:
    (found,) = certificates.certificates(Settings(grpc_host="0.0.0.0"))  # noqa: S104
    assert found.found.startswith("DIGITS_GRPC_HOST=0.0.0.0 would be open to the network")
    assert found.mend.startswith("set DIGITS_TLS_CERTIFICATE_FILE")


def test_the_command_says_what_is_wrong_and_ends_with_1(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    findings = [wrong("disk", "no room", "make room")]
    monkeypatch.setattr("deploy.native.doctor.examination.examine", lambda settings: findings)
    assert run("doctor") == 1
    assert capsys.readouterr().out.splitlines() == [
        "wrong     disk: no room",
        "          mend it: make room",
    ]
    assert run("doctor", "--json") == 1
    assert json.loads(capsys.readouterr().out)[0]["mend"] == "make room"
