"""What every log of image blocks does."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest

from digits.adapters.memory import MemoryLog
from digits.adapters.spool import SpoolLog
from digits.errors import LogFull, LogLost, LogUnavailable, NotFound
from digits.ports import BlockLog
from tests.secure_kafka import secure_log
from tests.servers import kafka_log
from tests.small_disk import fill, small_disk


@pytest.fixture(params=["memory", "spool", "kafka", "secure_kafka"])
def logs(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], BlockLog]]:
    """Opens the log as one process after another does."""
    in_memory = MemoryLog()
    logs: dict[str, Callable[[], BlockLog]] = {
        "memory": lambda: in_memory,
        "spool": lambda: SpoolLog(tmp_path),
        "kafka": lambda: kafka_log(request.getfixturevalue("kafka")),
        "secure_kafka": lambda: secure_log(request.getfixturevalue("secure_kafka").connection()),
    }
    yield logs[request.param]
    log = logs[request.param]()
    for job_id in ("job", "one", "other"):
        log.delete(job_id)


@pytest.fixture
def log(logs: Callable[[], BlockLog]) -> BlockLog:
    return logs()


def test_offsets_count_up_in_each_partition(log: BlockLog) -> None:
    log.create("job", 2)
    log.append("job", 0, 0, [b"a", b"b"])
    log.append("job", 1, 0, [b"c"])
    log.append("job", 0, 2, [b"d"])
    assert log.end_offsets("job") == [3, 1]


def test_appending_the_same_offsets_again_changes_nothing(log: BlockLog) -> None:
    log.create("job", 2)
    log.append("job", 0, 0, [b"a", b"b", b"c"])
    log.append("job", 0, 0, [b"a", b"b"])
    log.append("job", 0, 1, [b"b", b"c", b"d"])
    assert log.end_offsets("job") == [4, 0]


def test_an_appender_whose_log_was_made_again_meanwhile_hears_that_its_blocks_are_gone(
    logs: Callable[[], BlockLog],
) -> None:
    log, other = logs(), logs()
    log.create("job", 1)
    log.append("job", 0, 0, [b"a", b"b"])
    other.delete("job")
    other.create("job", 1)
    with pytest.raises(LogLost):
        log.append("job", 0, 2, [b"c"])
    # What came too early comes again in its turn.
    assert log.end_offsets("job") == [0]
    log.append("job", 0, 0, [b"a", b"b", b"c", b"d"])
    assert logs().end_offsets("job") == [4]


def test_an_appender_whose_log_is_gone_hears_of_it(logs: Callable[[], BlockLog]) -> None:
    log, other = logs(), logs()
    log.create("job", 1)
    log.append("job", 0, 0, [b"a"])
    other.delete("job")
    with pytest.raises(LogLost):
        log.append("job", 0, 1, [b"b"])


def test_a_stopped_appender_that_goes_on_after_another_took_over_adds_nothing(
    logs: Callable[[], BlockLog],
) -> None:
    stopped, newer = logs(), logs()
    stopped.create("job", 1)
    stopped.append("job", 0, 0, [b"a"])
    newer.create("job", 1)
    (end,) = newer.end_offsets("job")
    newer.append("job", 0, end, [b"b", b"c", b"d"])
    # It knows of one block alone.
    stopped.append("job", 0, 1, [b"b", b"c"])
    assert newer.end_offsets("job") == logs().end_offsets("job") == [4]
    newer.append("job", 0, 4, [b"e"])
    assert logs().end_offsets("job") == [5]


def test_creating_again_keeps_what_is_there(log: BlockLog) -> None:
    log.create("job", 2)
    log.append("job", 1, 0, [b"a"])
    log.create("job", 2)
    assert log.end_offsets("job") == [0, 1]


def test_a_deleted_log_is_not_found_and_deleting_again_does_nothing(log: BlockLog) -> None:
    log.create("job", 1)
    log.delete("job")
    log.delete("job")
    with pytest.raises(NotFound):
        log.end_offsets("job")


def test_a_spool_is_deleted_under_an_appender_and_the_appender_hears_of_it(tmp_path: Path) -> None:
    log = SpoolLog(tmp_path)
    for job in map(str, range(30)):
        log.create(job, 1)
        with ThreadPoolExecutor(1) as pool:
            appending = pool.submit(_append_until_lost, log, job)
            while not log.end_offsets(job)[0]:
                pass
            log.delete(job)
            assert appending.result(timeout=30)
    assert not list(tmp_path.iterdir())


def test_a_block_that_was_on_its_way_when_its_log_was_deleted_goes_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = SpoolLog(tmp_path)
    log.create("job", 1)
    late = iter([tmp_path / ".job" / "0000-000000000007.block"])

    def rmdir_of_what_just_got_a_file(path: str, *, dir_fd: int | None = None) -> None:
        for file in late:
            file.write_bytes(b"late")
        rmdir(path, dir_fd=dir_fd)

    rmdir = os.rmdir
    monkeypatch.setattr(os, "rmdir", rmdir_of_what_just_got_a_file)
    log.delete("job")
    assert not list(tmp_path.iterdir())


def test_a_spool_whose_remover_was_killed_is_still_listed_and_goes(tmp_path: Path) -> None:
    log = SpoolLog(tmp_path)
    for job in ("one", "two"):
        log.create(job, 1)
    (tmp_path / "one").rename(tmp_path / ".one")
    assert log.jobs() == ["one", "two"]
    with pytest.raises(LogLost):
        log.end_offsets("one")
    log.delete("one")
    assert [path.name for path in tmp_path.iterdir()] == ["two"]


def test_appending_to_no_log_is_not_found(log: BlockLog) -> None:
    with pytest.raises(NotFound):
        log.append("job", 0, 0, [b"a"])


def test_a_log_made_anew_is_empty_and_may_have_other_partitions(log: BlockLog) -> None:
    log.create("job", 1)
    log.append("job", 0, 0, [b"a"])
    log.delete("job")
    log.create("job", 3)
    log.append("job", 2, 0, [b"b"])
    assert log.end_offsets("job") == [0, 0, 1]


def test_logs_of_jobs_are_apart(log: BlockLog) -> None:
    log.create("one", 1)
    log.create("other", 1)
    log.append("one", 0, 0, [b"a"])
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
    log.append("job", 0, 0, [b"whole"])
    assert [path.read_bytes() for path in (tmp_path / "job").glob("*.block")] == [b"whole"]


def test_a_spool_without_room_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file where the folder should be")
    with pytest.raises(LogUnavailable):
        SpoolLog(tmp_path / "spool").create("job", 1)


def test_a_block_in_a_spool_stays_as_it_was_first_written(tmp_path: Path) -> None:
    log = SpoolLog(tmp_path)
    log.create("job", 1)
    log.append("job", 0, 0, [b"first"])
    log.append("job", 0, 0, [b"again"])
    assert [path.read_bytes() for path in (tmp_path / "job").glob("*.block")] == [b"first"]


@pytest.mark.parametrize("left", ["", "\0\0", "two", "0"])
def test_a_spool_whose_number_of_partitions_was_lost_is_made_anew(tmp_path: Path, left: str) -> None:
    log = SpoolLog(tmp_path)
    log.create("job", 2)
    log.append("job", 1, 0, [b"a"])
    (tmp_path / "job" / ".partitions").write_text(left)
    with pytest.raises(NotFound):
        log.end_offsets("job")
    log.create("job", 3)
    assert log.end_offsets("job") == [0, 0, 0]


@contextmanager
def asked_of_the_disk() -> Iterator[Counter[str]]:
    """Counts the calls of the system, by name, that this thread makes."""
    calls: Counter[str] = Counter()

    def count(_: FrameType, event: str, called: object) -> None:
        if event == "c_call" and getattr(called, "__module__", "") in ("posix", "_io", "io"):
            calls[getattr(called, "__name__", "")] += 1

    sys.setprofile(count)
    try:
        yield calls
    finally:
        sys.setprofile(None)


def test_an_append_to_a_spool_asks_as_much_of_the_disk_however_many_blocks_are_there(tmp_path: Path) -> None:
    log, asked = SpoolLog(tmp_path), []
    log.create("job", 2)
    for first in (1, 300):
        log.append("job", 0, 0, [b"block"] * first)
        with asked_of_the_disk() as calls:
            log.append("job", 0, first, [b"block"] * 2)
        asked.append(calls)
    few, many = asked
    assert few == many
    assert few["link"] == 2
    # However much a listing returns, it is one call.
    assert not {"listdir", "scandir"} & few.keys()


def test_a_full_disk_leaves_a_spool_no_half_of_a_file(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 1 << 16) as disk:
        log = SpoolLog(disk)
        log.create("job", 1)
        with pytest.raises(LogFull, match="No space left"):
            log.append("job", 0, 0, [bytes(100_000)])
        assert [path.name for path in disk.rglob("*") if path.is_file()] == [".partitions"]


def test_a_spool_that_could_not_be_made_on_a_full_disk_is_made_once_there_is_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 1 << 16) as disk:
        log, filler = SpoolLog(disk), fill(disk)
        with pytest.raises(LogFull):
            log.create("job", 2)
        filler.unlink()
        log.create("job", 2)
        assert log.end_offsets("job") == [0, 0]


def _append_until_lost(log: SpoolLog, job: str) -> bool:
    for offset in range(100_000):
        try:
            log.append(job, 0, offset, [b"block"])
        except LogLost:
            return True
    return False
