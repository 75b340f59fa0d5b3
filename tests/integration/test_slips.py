"""What people get wrong in a request is named, with the way out, over gRPC, REST and the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import requests
from typer.testing import CliRunner

from cli.main import app
from digits.client.client import Client
from digits.client.errors import RemoteError
from digits.inference import inference_pb2, inference_pb2_grpc
from tests import batches_of_people as people
from tests.bad_json import BAD_JSON
from tests.plain_pixels import SOME_PIXELS
from tests.service import Service
from tests.wrong_files import WRONG_PICTURES

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def client(door: Service) -> Iterator[Client]:
    with door.client() as made:
        yield made


def by_grpc(call: Callable[..., object], **request: object) -> str:
    """What a call is refused with."""
    with pytest.raises(RemoteError) as refused:
        answer = call(**request)
        if isinstance(answer, Iterator):
            next(answer)
    return f"{refused.value.code.name} {refused.value.field}: {refused.value.message}"


def by_rest(door: Service, call: str, **request: Any) -> str:
    """What a request is refused with."""
    problem = requests.post(f"{door.rest_url}/digits/{call}", timeout=60, **request).json()
    return f"{problem['status']} {problem.get('field')}: {problem['detail']}"


def by_command(door: Service, *arguments: str) -> str:
    """What a command says on stderr when it fails."""
    ended = CliRunner().invoke(app, [*arguments, "--server", door.grpc_address])
    assert ended.exit_code == 1
    return f"{ended.stderr} {ended.exception}"


@pytest.mark.parametrize("name", WRONG_PICTURES)
def test_a_file_of_a_wrong_kind_is_named_with_the_way_out(
    door: Service, client: Client, name: str, tmp_path: Path
) -> None:
    data, kind, way_out = WRONG_PICTURES[name]
    (tmp_path / "n5.jpg").write_bytes(data)
    (door.data_dir / "n5.jpg").write_bytes(data)
    for answer in (
        by_grpc(client.classify, image=data),
        by_grpc(client.classify, image_path="n5.jpg"),
        by_rest(door, "classify", files={"image": data}),
        by_rest(door, "classify", json={"image_path": "n5.jpg"}),
        by_command(door, "classify", str(tmp_path / "n5.jpg")),
    ):
        assert f"is not a readable picture, but {kind}" in answer
        assert way_out in answer


@pytest.mark.parametrize("path", ["data/mine.npz", "MINE.npz", "mine.npz ", "file:///home/me/data/mine.npz"])
def test_a_path_that_is_nearly_right_names_the_one_that_was_meant(
    door: Service, client: Client, path: str
) -> None:
    (door.data_dir / "mine.npz").write_bytes(people.npz(**people.PARTS))
    for answer in (
        by_grpc(client.train, images_batch_path=path),
        by_rest(door, "train", json={"images_batch_path": path}),
        by_command(door, "train", path),
    ):
        assert "did you mean 'mine.npz'?" in answer


@pytest.mark.parametrize(
    "start", ["data:image/png;base64,iVBORw0KGgo", "iVBORw0KGgoAAAANSUhEUgAAABwAAAAcCAAAAA"]
)
def test_a_path_that_is_a_file_in_base64_says_how_to_send_it(
    door: Service, client: Client, start: str
) -> None:
    path = start.ljust(5000, "A")
    says = 'holds a file and not a path; send the bytes as "image": curl -F image=@FILE'
    assert says in by_grpc(client.classify, image_path=path)
    assert says in by_rest(door, "classify", json={"image_path": path})


@pytest.mark.parametrize("pixels", [bytes(784), b"\xff" * 784, bytes([0, 1] * 392)])
def test_pixels_that_cannot_be_a_picture_are_refused(client: Client, pixels: bytes) -> None:
    says = "a picture has 0 for paper to 255 for ink"
    assert by_grpc(client.classify, pixels=pixels).startswith("INVALID_ARGUMENT pixels: ")
    assert says in by_grpc(client.classify, pixels=pixels)


def test_one_of_many_pictures_that_cannot_be_one_is_refused(door: Service) -> None:
    request = inference_pb2.ModelInferRequest(
        model_name="digits", raw_input_contents=[SOME_PIXELS + bytes(784)]
    )
    request.inputs.add(name="pixels", datatype="UINT8", shape=[2, 784])
    with grpc.insecure_channel(door.grpc_address) as channel, pytest.raises(grpc.RpcError) as refused:
        inference_pb2_grpc.GRPCInferenceServiceStub(channel).ModelInfer(request, timeout=10)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "inputs[0]: are all 0; a picture has 0 for paper" in refused.value.details()


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (
            {"files": {"image": (None, "n5.png")}},
            '400 image: "image" is a file and not text: send',
        ),
        (
            {"data": b"--b", "headers": {"Content-Type": "multipart/form-data"}},
            "400 None: the form's Content-Type has no boundary",
        ),
        (
            {"data": iter([b'{"image_path": "a.png"}', *[b" " * (1 << 20)] * 2]), "headers": JSON},
            "413 None: the body is too large; at most 2,097,152 bytes",
        ),
        ({"data": b'\xef\xbb\xbf{"image_path": "a.png"}', "headers": JSON}, "404 None: no file 'a.png'"),
    ],
    ids=["a path without @", "no boundary", "chunked and over the limit", "a byte order mark"],
)
def test_a_slip_in_a_body_is_named(door: Service, body: dict[str, Any], answer: str) -> None:
    assert by_rest(door, "classify", **body).startswith(answer)


@pytest.mark.parametrize("name", BAD_JSON)
def test_bad_json_is_named(door: Service, name: str) -> None:
    body, field, says = BAD_JSON[name]
    answer = by_rest(door, "classify", data=body, headers=JSON)
    assert answer.startswith(f"400 {field}: ")
    assert says in answer
