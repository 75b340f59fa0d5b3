"""What the command says of versions: how right they are, and where they came from."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from digits.v1 import models_pb2
from digits.v1 import training_pb2 as pb
from tests.unit.scripted_client import Scripted

Run = Callable[..., int]
Printed = pytest.CaptureFixture[str]

LIVE = models_pb2.LiveAccuracy(label_count=40, right_count=30, low=0.598, high=0.858)
METRICS = models_pb2.Metrics(accuracy=0.97, held_out_image_count=900)
CONTINUED = models_pb2.Model(
    version="v3",
    metrics=METRICS,
    provenance=models_pb2.Provenance(recipe="fast", data_name="mnist.npz+feedback", base_model_version="v2"),
    live_accuracy=LIVE,
)
BROUGHT = models_pb2.Model(
    version="v4",
    metrics=models_pb2.Metrics(accuracy=0.98, reference_accuracy=0.98, reference_image_count=10_000),
    provenance=models_pb2.Provenance(recipe="fast", data_name="theirs.npz", imported=True),
)
PLAIN = models_pb2.Model(version="v1", metrics=METRICS, provenance=models_pb2.Provenance(recipe="fast"))


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> list[models_pb2.Model]:
    """The versions that the service has; a test appends them."""
    models: list[models_pb2.Model] = []
    monkeypatch.setattr(Scripted, "list_models", lambda *_: models_pb2.ListModelsResponse(models=models))
    monkeypatch.setattr(Scripted, "get_model", lambda *_: models[0])
    return models


def shown(printed: str) -> dict[str, str]:
    return {name: value.strip() for name, _, value in (each.partition("  ") for each in printed.splitlines())}


def test_a_version_is_shown_with_its_live_accuracy_and_the_version_that_it_went_on_from(
    run: Run, capsys: Printed, listed: list[models_pb2.Model]
) -> None:
    listed.append(CONTINUED)
    assert run("models", "show", "v3") == 0
    said = shown(capsys.readouterr().out)
    assert said["live"] == "30 of 40 labelled answers right (60% to 86% with 95 % confidence)"
    assert said["went on from"] == "v2"
    assert "brought in" not in said


def test_a_version_that_was_brought_in_is_shown_as_one_and_without_held_out_images(
    run: Run, capsys: Printed, listed: list[models_pb2.Model]
) -> None:
    listed.append(BROUGHT)
    assert run("models", "show", "v4") == 0
    said = shown(capsys.readouterr().out)
    assert said["brought in"] == "what follows of its training is what its file says"
    assert said["reference"] == "98.00% of 10,000 images"
    assert not {"live", "went on from", "held out"} & said.keys()


def test_the_list_of_versions_has_live_accuracy_and_where_they_come_from(
    run: Run, capsys: Printed, listed: list[models_pb2.Model]
) -> None:
    listed += [BROUGHT, CONTINUED, PLAIN]
    assert run("models") == 0
    headings, brought, continued, _ = capsys.readouterr().out.splitlines()
    assert continued[headings.index("LIVE") :].startswith("30 of 40  ")
    assert continued[headings.index("FROM") :].startswith("v2  ")
    assert brought[headings.index("FROM") :].startswith("import  ")


def test_a_column_that_says_nothing_of_any_version_is_left_out_on_a_terminal_and_there_for_a_program(
    run: Run, capsys: Printed, listed: list[models_pb2.Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    listed.append(PLAIN)
    assert run("models") == 0
    assert "LIVE" in capsys.readouterr().out.splitlines()[0].split()
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "120")
    assert run("models") == 0
    headings = capsys.readouterr().out.splitlines()[0].split()
    assert headings == ["VERSION", "ACCURACY", "HELD", "OUT", "RECIPE", "KB", "CREATED"]


def test_a_list_without_a_version_has_its_headings(
    run: Run, capsys: Printed, listed: list[models_pb2.Model]
) -> None:
    assert run("models") == 0
    assert "VERSION  ACCURACY" in capsys.readouterr().out


def test_a_version_that_was_brought_in_is_not_said_to_have_held_out_images_of_its_own(
    run: Run, capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    metrics = models_pb2.Metrics(
        held_out_sha256="ab", reference_sha256="ab", reference_accuracy=0.98, reference_image_count=10_000
    )
    last = pb.TrainProgress(
        job_id="j1", state=pb.SUCCEEDED, accuracy=0.98, model_version="v4", promoted=True, metrics=metrics
    )
    monkeypatch.setattr(Scripted, "_progress", lambda _: iter([last]))
    assert run("models", "import", __file__) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "v4: 98.0 % of the reference set: it took over"


def test_the_help_of_import_says_that_moments_are_not_brought_in(run: Run, capsys: Printed) -> None:
    assert run("models", "import", "-h") == 0
    assert "begins with fresh moments of Adam's" in " ".join(capsys.readouterr().out.split())


def test_a_job_is_shown_with_the_version_that_it_went_on_from(
    run: Run, capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = pb.Job(job_id="j1", state=pb.QUEUED, spec=pb.TrainSpec(base_model_version="v2"))
    monkeypatch.setattr(Scripted, "get_job", lambda *_: job)
    assert run("jobs", "show", "j1") == 0
    assert shown(capsys.readouterr().out)["went on from"] == "v2"
