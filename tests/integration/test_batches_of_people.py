"""Batches as people bring them, over gRPC, REST and the command line: accepted and said, or refused."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from typer.testing import CliRunner, Result

from cli.main import app
from digits.client.client import Client
from digits.client.errors import RemoteError
from digits.final_states import FINAL
from tests import batches_of_people as people
from tests.service import Service
from tests.waiting import wait_until


@pytest.fixture
def client(door: Service) -> Iterator[Client]:
    with door.client() as made:
        yield made


def job_ids(client: Client) -> set[str]:
    return {job.job_id for job in client.list_jobs(page_size=1000).jobs}


def end(client: Client, job_id: str) -> None:
    client.cancel_job(job_id)
    wait_until(lambda: client.get_job(job_id).state in FINAL, what=f"the end of {job_id}")


def on_the_command_line(door: Service, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--server", door.grpc_address])


def notes_on_the_command_line(door: Service, client: Client, batch: list[str]) -> str:
    """What `digits train` prints of a job that is cancelled once it is there."""
    before, printed = job_ids(client), []
    command = threading.Thread(
        target=lambda: printed.append(on_the_command_line(door, "train", *batch, "--promotion", "never"))
    )
    command.start()
    wait_until(lambda: job_ids(client) - before, what="the job")
    end(client, (job_ids(client) - before).pop())
    command.join(60)
    return printed[0].output.replace("\n", " ")


def assert_said_everywhere(door: Service, client: Client, path: str, says: str) -> None:
    first = next(client.train(images_batch_path=path, promotion="NEVER"))
    end(client, first.job_id)
    assert says in "\n".join(first.notes)
    body = {"images_batch_path": path, "promotion": "NEVER"}
    prefer = {"Prefer": "respond-async"}
    reply = requests.post(f"{door.rest_url}/digits/train", json=body, headers=prefer, timeout=60)
    end(client, reply.json()["job_id"])
    job = requests.get(f"{door.rest_url}{reply.headers['Location']}", timeout=30).json()
    assert says in "\n".join(job["progress"]["notes"])
    assert says in notes_on_the_command_line(door, client, [path])


@pytest.mark.parametrize("name", people.ACCEPTED)
def test_what_is_unambiguous_is_accepted_and_said(door: Service, client: Client, name: str) -> None:
    data, says = people.ACCEPTED[name]
    path = f"{uuid.uuid4().hex}{'.csv' if 'CSV' in name else '.npz'}"
    (door.data_dir / path).write_bytes(data)
    assert_said_everywhere(door, client, path, says.replace("the upload", path))


@pytest.mark.parametrize("name", people.ACCEPTED_FOLDERS)
def test_a_folder_is_used_or_said_file_by_file(door: Service, client: Client, name: str) -> None:
    files, says = people.ACCEPTED_FOLDERS[name]
    path = uuid.uuid4().hex
    write(door.data_dir / path, files)
    assert_said_everywhere(door, client, path, says)


@pytest.mark.parametrize("name", people.REFUSED)
def test_all_that_is_wrong_is_said_at_once(door: Service, client: Client, name: str, tmp_path: Path) -> None:
    data, says = people.REFUSED[name]
    before = job_ids(client)
    with pytest.raises(RemoteError) as refused:
        next(client.train(images_batch=data))
    url = f"{door.rest_url}/digits/train"
    problem = requests.post(url, files={"images_batch": data}, timeout=60)
    (tmp_path / "mine").write_bytes(data)
    printed = on_the_command_line(door, "train", "--upload", str(tmp_path / "mine"))
    assert (refused.value.field, problem.status_code, printed.exit_code) == ("images_batch", 400, 1)
    for answer in (refused.value.message, problem.json()["detail"], str(printed.exception)):
        assert [said for said in says if said not in answer] == [], answer
    assert job_ids(client) == before


@pytest.mark.parametrize("name", people.REFUSED_FOLDERS)
def test_all_that_is_wrong_in_a_folder_is_said_at_once(door: Service, client: Client, name: str) -> None:
    files, says = people.REFUSED_FOLDERS[name]
    path = uuid.uuid4().hex
    write(door.data_dir / path, files)
    with pytest.raises(RemoteError) as refused:
        next(client.train(images_batch_path=path))
    url = f"{door.rest_url}/digits/train"
    problem = requests.post(url, json={"images_batch_path": path}, timeout=60)
    printed = on_the_command_line(door, "train", path)
    for answer in (refused.value.message, problem.json()["detail"], str(printed.exception)):
        assert [said for said in says if said not in answer] == [], answer


def test_transposed_pictures_are_turned_for_whoever_says_so(door: Service, client: Client) -> None:
    data = people.npz(x_train=people.X.transpose(0, 2, 1), y_train=people.Y)
    first = next(client.train(images_batch=data, orientation="TRANSPOSED", promotion="NEVER"))
    end(client, first.job_id)
    assert first.notes == ["x_train of the upload: rows and columns swapped back"]


def write(folder: Path, files: people.Files) -> None:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
