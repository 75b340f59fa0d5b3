"""A job's trainer opens the batch that its request was accepted for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from digits.datasets.dataset import open_upload
from digits.datasets.places import BatchPlaces
from digits.jobs.train_request import open_batch, spec_of
from digits.v1 import digit_service_pb2 as pb
from digits.v1 import training_pb2
from tests import batches_of_people as people

LIMIT = 1 << 24
TURNED = people.npz(x_train=people.X.transpose(0, 2, 1), y_train=people.Y)
AS_DOCUMENTED = open_upload(people.npz(**people.PARTS), "images_batch", LIMIT).sha256()


@pytest.mark.parametrize("upload", [None, TURNED], ids=["path", "upload"])
@pytest.mark.parametrize("orientation", [training_pb2.AS_IS, training_pb2.TRANSPOSED])
def test_the_trainer_turns_what_the_request_says_is_transposed(
    tmp_path: Path, upload: bytes | None, orientation: training_pb2.Orientation
) -> None:
    (tmp_path / "emnist.npz").write_bytes(TURNED)
    request = pb.TrainRequest(images_batch_path="emnist.npz", orientation=orientation)
    batch = open_batch(spec_of(request, "alice"), upload, BatchPlaces(tmp_path), LIMIT)
    assert (batch.sha256() == AS_DOCUMENTED) == (orientation == training_pb2.TRANSPOSED)


def test_a_job_holds_out_as_many_images_as_the_release_did_that_accepted_it(tmp_path: Path) -> None:
    np.savez(tmp_path / "plain.npz", x_train=np.concatenate([people.X] * 10), y_train=np.tile(people.Y, 10))
    spec = spec_of(pb.TrainRequest(images_batch_path="plain.npz"), "alice")
    assert spec.max_held_out == 50_000
    count = open_batch(spec, None, BatchPlaces(tmp_path), LIMIT).held_out_count
    spec.max_held_out = count // 2
    assert open_batch(spec, None, BatchPlaces(tmp_path), LIMIT).held_out_count <= count // 2
    spec.max_held_out = 0
    assert open_batch(spec, None, BatchPlaces(tmp_path), LIMIT).held_out_count == count
