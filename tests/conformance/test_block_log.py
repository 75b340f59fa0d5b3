"""What every log of image blocks does."""

from __future__ import annotations

from pathlib import Path

import pytest

from digits.adapters.memory import MemoryLog
from digits.adapters.spool import SpoolLog
from digits.errors import LogUnavailable, NotFound
from digits.ports import BlockLog


@pytest.fixture(params=["memory", "spool"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> BlockLog:
    return MemoryLog() if request.param == "memory" else SpoolLog(tmp_path)


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


def test_logs_of_jobs_are_apart(log: BlockLog) -> None:
    log.create("one", 1)
    log.create("other", 1)
    log.append("one", 0, [b"a"])
    assert log.end_offsets("other") == [0]


def test_a_spool_shows_whole_blocks_only(tmp_path: Path) -> None:
    log = SpoolLog(tmp_path)
    log.create("job", 1)
    log.append("job", 0, [b"whole"])
    assert [path.read_bytes() for path in (tmp_path / "job").glob("*.block")] == [b"whole"]


def test_a_spool_without_room_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file where the folder should be")
    with pytest.raises(LogUnavailable):
        SpoolLog(tmp_path / "spool").create("job", 1)
