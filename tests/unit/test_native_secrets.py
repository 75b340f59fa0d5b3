"""What the servers and the processes share: new at each start, in files of one user, on no command line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import SecretStr

from deploy.native import private_files, secrets
from deploy.native.folder import StateFolder
from deploy.native.plan import own_ports, own_secrets, server_specs
from deploy.native.process_settings import process_settings, recordable, variables
from deploy.native.stacks.embedded import EmbeddedStack
from deploy.native.stacks.real import RealStack
from deploy.native.stacks.stack import Stack
from digits.settings import Settings


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("DIGITS_")]:
        monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _no_downloads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.native.downloads.jars.folder", lambda name: Path("/jars", name))
    monkeypatch.setattr("deploy.native.servers.hadoop._unpack_web_pages", lambda hadoop, target: None)
    monkeypatch.setattr("deploy.native.servers.java.find_java", lambda: "java")
    monkeypatch.setattr("deploy.native.servers.rabbitmq.rabbitmq_binary", lambda: Path("rabbitmq-server"))


@pytest.fixture
def folder(tmp_path: Path) -> StateFolder:
    made = StateFolder.at(tmp_path / "var")
    made.make()
    return made


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_the_state_folder_is_its_owners_alone_also_if_it_was_there(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir(mode=0o755)
    folder = StateFolder.at(tmp_path / "var")
    folder.make()
    assert {mode(path) for path in (folder.root, folder.run, folder.logs, folder.secrets)} == {0o700}


def test_a_folder_of_somebody_else_which_a_container_was_given_is_used_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "var").mkdir(mode=0o775)
    (tmp_path / "var").chmod(0o775)
    monkeypatch.setattr("os.getuid", lambda: (tmp_path / "var").stat().st_uid + 1)
    StateFolder.at(tmp_path / "var").make()
    assert mode(tmp_path / "var") == 0o775


def test_a_private_file_that_replaces_a_public_one_is_private(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("before")
    path.chmod(0o644)
    private_files.write(path, "after")
    assert (path.read_text(), mode(path)) == ("after", 0o600)


@pytest.mark.parametrize("stack", [EmbeddedStack(), RealStack()], ids=lambda stack: stack.name)
def test_a_secret_is_in_files_of_its_owner_and_in_no_command_variable_or_record(
    folder: StateFolder, stack: Stack
) -> None:
    ports, shared = own_ports(stack, Settings(), folder), own_secrets(stack, Settings(), folder)
    given = process_settings(stack, Settings(), folder, ports, shared)
    secrets.hand_on(folder, given)
    specs = server_specs(stack, folder, ports, shared)
    shown = [word for spec in specs for word in spec.command]
    shown += [str(value) for value in [*variables(given).values(), recordable(given)]]
    assert not [secret for secret in shared.values() if any(secret in text for text in shown)]
    holding = [
        path
        for path in folder.root.rglob("*")
        if path.is_file() and any(secret in path.read_text() for secret in shared.values())
    ]
    assert holding
    assert {mode(path) for path in holding} == {0o600}


def test_each_start_has_secrets_of_its_own(folder: StateFolder) -> None:
    first = secrets.make(folder, ["valkey", "zookeeper"])
    second = secrets.make(folder, ["valkey", "zookeeper"])
    assert len({*first.values(), *second.values()}) == 4
    assert secrets.read(folder, ["valkey", "zookeeper", "kafka"]) == second


def test_a_process_finds_its_secret_settings_in_the_folder_that_it_is_given(
    folder: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGITS_WEBHDFS_TOKEN", "from outside")
    stack = EmbeddedStack()
    ports, shared = own_ports(stack, Settings(), folder), own_secrets(stack, Settings(), folder)
    given = process_settings(stack, Settings(), folder, ports, shared)
    secrets.hand_on(folder, given)
    monkeypatch.delenv("DIGITS_WEBHDFS_TOKEN")
    for name, value in variables(given).items():
        monkeypatch.setenv(name, value)
    found = Settings()
    assert found.webhdfs_token == SecretStr("from outside")
    assert found.zookeeper_password == SecretStr(shared["zookeeper"])
    assert found.broker_password == SecretStr(shared["valkey"])


def test_a_variable_comes_before_a_file(folder: StateFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    private_files.write(folder.secrets / "digits_broker_password", "file")
    monkeypatch.setenv("DIGITS_SECRETS_DIR", str(folder.secrets))
    assert Settings().broker_password == SecretStr("file")
    monkeypatch.setenv("DIGITS_BROKER_PASSWORD", "variable")
    assert Settings().broker_password == SecretStr("variable")
