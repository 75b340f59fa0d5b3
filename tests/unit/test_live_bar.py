"""What a training looks like on a terminal."""

from __future__ import annotations

from io import StringIO

import pytest
from google.protobuf.duration_pb2 import Duration
from rich.console import Console

from cli.live_bar import LiveBar
from cli.progress import summary
from digits.final_states import FINAL
from digits.v1 import training_pb2 as pb


def progress(micro_batch: int, eta_seconds: int) -> pb.TrainProgress:
    return pb.TrainProgress(
        state=pb.EVALUATING,
        images_trained=30_208,
        images_total=60_000,
        micro_batch=micro_batch,
        images_per_second=5_783,
        accuracy=0.95,
        loss=0.5,
        eta=Duration(seconds=eta_seconds),
    )


def console(width: int) -> Console:
    return Console(width=width, force_terminal=True, color_system=None, file=StringIO())


def drawn(bar: LiveBar, console: Console) -> list[str]:
    with console.capture() as captured:
        console.print(bar.lines())
    return captured.get().splitlines()


@pytest.mark.parametrize(
    ("width", "ends_with"), [(80, "accuracy 95.00%  loss 0.5000"), (60, "accuracy 95.00%  loss 0.5000")]
)
def test_bar_percentage_and_time_left_have_room(width: int, ends_with: str) -> None:
    on = console(width)
    bar = LiveBar(on, now=lambda: 0.0)
    bar.show(progress(2, 65))
    first, second = drawn(bar, on)
    assert len(first) <= width
    assert first.count("━") >= 10
    assert first.endswith("50% eta 1:05")
    assert second.endswith(ends_with)


def test_figures_that_do_not_fit_are_left_out_whole() -> None:
    on = console(40)
    bar = LiveBar(on, now=lambda: 0.0)
    bar.show(progress(2, 65))
    assert drawn(bar, on)[1] == "30208/60000 images  5783 img/s"


def test_the_time_left_counts_down_between_two_micro_batches() -> None:
    now = [100.0]
    on = console(80)
    bar = LiveBar(on, now=lambda: now[0])
    bar.show(progress(2, 65))
    now[0] += 5
    bar.show(progress(2, 65))
    assert drawn(bar, on)[0].endswith("eta 1:00")
    bar.show(progress(3, 40))
    assert drawn(bar, on)[0].endswith("eta 0:40")


def test_no_time_left_is_shown_before_it_is_known_and_after_the_last_micro_batch() -> None:
    on = console(80)
    bar = LiveBar(on, now=lambda: 0.0)
    bar.show(pb.TrainProgress(state=pb.INGESTING))
    assert "eta" not in drawn(bar, on)[0]
    bar.show(progress(2, 65))
    bar.show(progress(2, 0))
    assert "eta" not in drawn(bar, on)[0]


@pytest.mark.parametrize("state", FINAL)
def test_no_time_left_is_shown_of_a_job_that_ended_whatever_its_record_says(state: pb.JobState) -> None:
    on = console(80)
    bar = LiveBar(on, now=lambda: 0.0)
    bar.show(progress(2, 65))
    ended = progress(2, 65)
    ended.state = state
    bar.show(ended)
    assert "eta" not in drawn(bar, on)[0] + summary(ended)


@pytest.mark.parametrize(
    ("before", "said"),
    [(0, "QUEUED"), (1, "QUEUED      1 job before it"), (2, "QUEUED      2 jobs before it")],
)
def test_a_job_that_waits_says_how_many_are_before_it(before: int, said: str) -> None:
    assert summary(pb.TrainProgress(state=pb.QUEUED, jobs_before=before)) == said
