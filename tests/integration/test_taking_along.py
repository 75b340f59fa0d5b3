"""A version is taken along as a file, by the command and by REST, and brought in again by the gate."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import onnxruntime
import requests

from tests.plain_pixels import SOME_PIXELS
from tests.service import Service


def test_a_version_comes_along_as_onnx_keras_and_bundle_by_command_and_rest(
    trained_service: Service, tmp_path: Path
) -> None:
    with trained_service.client() as client:
        answer = client.classify(pixels=SOME_PIXELS)
    for kind in ("onnx", "keras", "bundle"):
        path = tmp_path / f"model.{kind}"
        done = trained_service.command("models", "export", answer.model_version, str(path))
        assert done.returncode == 0, done.stderr
        got = requests.get(
            f"{trained_service.rest_url}/digits/models/{answer.model_version}/{kind}", timeout=20
        )
        assert got.status_code == 200
        assert hashlib.sha256(got.content).hexdigest() == got.headers["ETag"].strip('"')
        assert f'filename="{answer.model_version}.{kind}"' in got.headers["Content-Disposition"]
        assert kind == "keras" or got.content == path.read_bytes()
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    pixels = np.frombuffer(SOME_PIXELS, np.uint8).reshape(1, 784)
    (probabilities,) = session.run(["probabilities"], {"pixels": pixels})
    np.testing.assert_allclose(probabilities[0], answer.probabilities, atol=1e-5)
    missing = requests.get(f"{trained_service.rest_url}/digits/models/v1/pickle", timeout=20)
    assert missing.status_code == 404


def test_a_version_that_is_brought_in_is_judged_by_the_gate(trained_service: Service, tmp_path: Path) -> None:
    path = tmp_path / "theirs.bundle"
    with trained_service.client() as client:
        before = client.get_model("serving")
        path.write_bytes(client.export_model("serving").data)
        done = trained_service.command("models", "import", str(path), "--promotion", "never")
        assert done.returncode == 0, done.stderr
        assert "it does not serve (the caller said NEVER)" in done.stdout
        (brought,) = client.list_models(page_size=1).models
        assert brought.version != before.version
        assert brought.provenance.recipe == before.provenance.recipe
        assert brought.provenance.imported
        assert brought.metrics.reference_accuracy == before.metrics.reference_accuracy
        # The same network, by another name.
        answers = [client.classify(pixels=SOME_PIXELS, model_version=v.version) for v in (before, brought)]
        assert answers[0].probabilities == answers[1].probabilities
        assert client.get_model("serving").version == before.version


def test_a_file_that_is_no_bundle_is_refused_and_leaves_nothing(
    trained_service: Service, tmp_path: Path
) -> None:
    path = tmp_path / "theirs.bundle"
    path.write_bytes(b"\x80\x04\x95 pickled")
    done = trained_service.command("models", "import", str(path))
    assert done.returncode == 1
    assert done.stderr.startswith(
        "digits: model_bundle: not a sealed digits.v1.ModelBundle; give a file that"
    )
