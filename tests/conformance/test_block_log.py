"""What every log of image blocks does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from digits.adapters.memory import MemoryLog
from digits.adapters.spool import SpoolLog
from digits.errors import LogUnavailable, NotFound
from digits.ports import BlockLog
from tests.secure_kafka import secure_log
from tests.servers import kafka_log


@pytest.fixture(params=["memory", "spool", "kafka", "secure_kafka"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BlockLog]:
    logs: dict[str, Callable[[], BlockLog]] = {
        "memory": MemoryLog,
        "spool": lambda: SpoolLog(tmp_path),
        "kafka": lambda: kafka_log(request.getfixturevalue("kafka")),
        "secure_kafka": lambda: secure_log(request.getfixturevalue("secure_kafka").connection()),
    }
    log = logs[request.param]()
    yield log
    for job_id in ("job", "one", "other"):
        log.delete(job_id)


def test_offsets_count_up_in_each_partition(log: BlockLog) -> None:
    log.create("job", 2)
    log.append("job", 0, [b"a", b"b"])
    log.append("job", 1, [b"c"])
    log.append("job", 0, [b"d"])
    assert log.end_offsets("job") == [3, 1]


def test_creating_again_keeps_what_is_there(log: BlockLog) -> None:
    log.create("job", 2)
    log.append("job", 1, [b"a"])
    log.create("job", 2)
    assert log.end_offsets("job") == [0, 1]


def test_a_deleted_log_is_not_found_and_deleting_again_does_nothing(log: BlockLog) -> None:
    log.create("job", 1)
    log.delete("job")
    log.delete("job")
    with pytest.raises(NotFound):
        log.end_offsets("job")


def test_appending_to_no_log_is_not_found(log: BlockLog) -> None:
    with pytest.raises(NotFound):
        log.append("job", 0, [b"a"])


def test_a_log_made_anew_is_empty_and_may_have_other_partitions(log: BlockLog) -> None:
    log.create("job", 1)
    log.append("job", 0, [b"a"])
    log.delete("job")
    log.create("job", 3)
    log.append("job", 2, [b"b"])
    assert log.end_offsets("job") == [0, 0, 1]


def test_logs_of_jobs_are_apart(log: BlockLog) -> None:
    log.create("one", 1)
    log.create("other", 1)
    log.append("one", 0, [b"a"])
    assert log.end_offsets("other") == [0]


def test_the_jobs_are_those_with_a_log(log: BlockLog) -> None:
    assert set(log.jobs()).isdisjoint({"one", "other"})
    log.create("one", 1)
    log.create("other", 2)
    log.delete("other")
    assert set(log.jobs()) & {"one", "other"} == {"one"}


def test_a_spool_shows_whole_blocks_only(tmp_path: Path) -> None:
    log = SpoolLog(tmp_path)
    log.create("job", 1)
    log.append("job", 0, [b"whole"])
    assert [path.read_bytes() for path in (tmp_path / "job").glob("*.block")] == [b"whole"]


def test_a_spool_without_room_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file where the folder should be")
    with pytest.raises(LogUnavailable):
        SpoolLog(tmp_path / "spool").create("job", 1)
