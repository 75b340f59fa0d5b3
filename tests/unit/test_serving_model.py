"""The model in memory: what it takes up, what it keeps, and what stands in for what cannot be loaded."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from digits.adapters.memory import MemoryStore
from digits.errors import CoordinatorUnavailable, NotReady, StoreUnavailable
from digits.models import onnx_graph
from digits.models.predictor import Predictor
from digits.ports import Stored
from digits.serving import serving_model
from digits.serving.deadline_store import DeadlineStore
from digits.training import architecture
from tests.unit.serving_bench import RECIPE, Bench, HeldStore
from tests.waiting import wait_until


@pytest.fixture(autouse=True)
def _short_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving_model, "_TURN_SECONDS", 0.05)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path / "cache")
    bench.serving.start()
    yield bench
    bench.close()


def anew(bench: Bench) -> None:
    """Another process with nothing on its disk."""
    bench.serving.stop()
    bench.cache = None
    bench.restart()
    bench.serving.start()


def damage(bench: Bench, *versions: str) -> None:
    for version in versions:
        bench.store.delete(f"models/{version}.bundle")
        bench.store.publish(f"models/{version}.bundle", b"damaged")


def test_a_damaged_version_is_reported_and_the_old_one_goes_on(bench: Bench) -> None:
    good = bench.publish()
    wait_until(lambda: bench.serves(good))
    bad = bench.publish(b"damaged")
    wait_until(lambda: bad in bench.serving.now().error, what="a report of the damaged version")
    assert bench.ask().model_version == good
    better = bench.publish()
    wait_until(lambda: bench.serves(better), what="the version after the damaged one")
    assert bench.serving.now().error == ""


def test_who_catches_up_with_a_damaged_version_is_not_kept_waiting(bench: Bench) -> None:
    bench.publish()
    wait_until(lambda: bench.serves("v1"))
    bench.publish(b"damaged")
    bench.serving.catch_up(timeout_seconds=60)


def test_a_process_that_has_nothing_serves_the_newest_version_that_can_be_loaded(bench: Bench) -> None:
    for _ in range(4):
        bench.publish()
    bench.publish(serve=False)
    damage(bench, "v4", "v3")
    anew(bench)
    wait_until(lambda: bench.serves("v2"), what="a version that stands in")
    assert "v4 cannot be loaded" in bench.serving.now().error
    assert "v2 stands in for it" in bench.serving.now().error
    assert bench.ask().model_version == "v2"
    bench.publish()
    wait_until(lambda: bench.serves("v6"))
    assert bench.serving.now().error == ""


def test_a_version_that_never_served_stands_in_only_if_no_other_can(bench: Bench) -> None:
    bench.publish()
    bench.publish(serve=False)
    damage(bench, "v1")
    anew(bench)
    wait_until(lambda: bench.serves("v2"), what="a version that stands in")


def test_with_nothing_that_can_be_loaded_a_caller_hears_what_is_wrong(bench: Bench) -> None:
    bench.publish()
    damage(bench, "v1")
    anew(bench)
    wait_until(lambda: bool(bench.serving.now().error))
    with pytest.raises(NotReady, match="v1 cannot be loaded"):
        bench.ask()


def test_the_alias_version_answers_as_soon_as_it_can_be_loaded_again(bench: Bench) -> None:
    bench.publish()
    bench.publish()
    whole = bench.store.read("models/v2.bundle")
    damage(bench, "v2")
    anew(bench)
    wait_until(lambda: bench.serves("v1"))
    bench.store.delete("models/v2.bundle")
    bench.store.publish("models/v2.bundle", whole)
    wait_until(lambda: bench.serves("v2"), what="the version that the alias names")
    assert bench.serving.now().generation == 2


def test_the_thread_survives_what_nobody_foresaw(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("digits.background._FIRST_BACKOFF_SECONDS", 0.01)
    bench.publish()
    wait_until(lambda: bench.serves("v1"))
    bench.held.read = _junk  # type: ignore[method-assign]
    bench.publish()
    wait_until(lambda: "junk" in bench.serving.now().error)
    del bench.held.read  # type: ignore[attr-defined]
    third = bench.publish()
    wait_until(lambda: bench.serves(third), what="the version after the junk")
    assert bench.serving.is_alive(5)


def _junk(name: str) -> bytes:
    raise RuntimeError("junk")


def test_a_read_that_never_returns_ends_in_time_and_leaves_the_model_in_place() -> None:
    held = HeldStore()
    bench = Bench(store=DeadlineStore(held, read_seconds=0.05))
    held.held.add("models/v2.bundle")
    bench.serving.start()
    try:
        bench.publish()
        wait_until(lambda: bench.serves("v1"))
        bench.publish()
        wait_until(lambda: "within 0.05 s" in bench.serving.now().error)
        assert bench.ask().model_version == "v1"
        assert bench.serving.is_alive(5)
        bench.publish()
        wait_until(lambda: bench.serves("v3"))
    finally:
        held.let_go.set()
        bench.close()


def test_a_read_that_hangs_costs_one_thread_however_often_it_is_asked_for() -> None:
    held = HeldStore()
    held.publish("a", b"1")
    held.publish("b", b"2")
    held.held.add("a")
    store = DeadlineStore(held, read_seconds=0.01)
    for _ in range(5):
        with pytest.raises(StoreUnavailable, match="within"):
            store.read("a")
    assert store.read("b") == b"2"
    assert held.reads == ["a", "b"]
    held.let_go.set()
    wait_until(lambda: _reads(store, "a") == b"1")


def _reads(store: DeadlineStore, name: str) -> bytes:
    try:
        return store.read(name)
    except StoreUnavailable:
        return b""


def test_the_copy_on_disk_answers_after_a_restart_with_everything_away(bench: Bench, tmp_path: Path) -> None:
    version = bench.publish()
    wait_until((tmp_path / "cache" / "serving.bundle").exists)
    bench.serving.stop()
    alone = Bench(tmp_path / "cache", MemoryStore())
    alone.serving.start()
    assert alone.serving.at_least(1, 0).loaded().version == version
    alone.close()


def test_a_damaged_copy_on_disk_is_as_good_as_none(tmp_path: Path) -> None:
    (tmp_path / "serving.bundle").write_bytes(b"damaged")
    alone = Bench(tmp_path)
    alone.serving.start()
    assert alone.serving.now().model is None
    alone.close()


def test_a_copy_on_disk_from_before_a_restore_is_put_away(bench: Bench) -> None:
    bench.publish()
    backup = bench.registry.alias().serving
    bench.publish()
    wait_until(lambda: bench.serves("v2"))
    bench.serving.stop()
    bench.restore(backup)
    bench.restart()
    bench.serving.start()
    wait_until(lambda: bench.serves("v1"), what="the restored alias")
    bench.serving.stop()
    bench.restart()
    bench.serving.start()
    assert bench.serves("v1")


def test_a_restored_alias_with_a_lower_generation_is_followed(bench: Bench) -> None:
    bench.publish()
    backup = bench.registry.alias().serving
    bench.publish()
    wait_until(lambda: bench.serves("v2"))
    bench.restore(backup)
    wait_until(lambda: bench.serves("v1"), what="the restored alias")
    assert bench.serving.now().generation == 1


def test_news_that_was_overtaken_is_no_restore(bench: Bench) -> None:
    bench.publish()
    late = bench.coordinator.get("/serving")
    wait_until(lambda: bench.serves("v1"))
    bench.publish()
    wait_until(lambda: bench.serves("v2"))
    bench.coordinator.watchers[-1](late)
    bench.serving.catch_up(5)
    assert bench.serves("v2")
    assert [snapshot.generation for snapshot in bench.seen] == [1, 2]


def test_a_copy_on_disk_of_another_version_with_the_same_name_is_put_away(bench: Bench) -> None:
    """Before a restore of everything but this disk, v1 was another model."""
    bench.publish()
    wait_until(lambda: bench.serves("v1"))
    bench.serving.stop()
    other = Bench(bench.cache)
    other.publish(seed=1)
    other.serving.start()
    picture = np.full((1, 784), 200, np.uint8)
    expected = (
        Predictor(onnx_graph.to_onnx(RECIPE, architecture.initial_state(RECIPE, 1)))
        .predict(picture)
        .probabilities
    )

    def answers() -> bool:
        model = other.serving.now().loaded()
        return np.array_equal(model.predictor.predict(picture).probabilities, expected)

    wait_until(answers, what="the registered v1")
    other.close()


def test_a_copy_on_disk_that_could_not_be_compared_at_first_serves_and_says_no_more_than_that(
    bench: Bench,
) -> None:
    bench.publish()
    wait_until(lambda: bench.serves("v1"))
    bench.serving.stop()
    bench.restart()
    get, away = bench.coordinator.get, [True]

    def flaky(path: str) -> Stored | None:
        if path == "/models/v1" and away[0]:
            raise CoordinatorUnavailable("away")
        return get(path)

    bench.coordinator.get = flaky  # type: ignore[method-assign]
    bench.serving.start()
    wait_until(lambda: "away" in bench.serving.now().error)
    away[0] = False
    wait_until(lambda: bench.serving.now().error == "")
    assert bench.serves("v1")


def test_the_same_network_gives_the_same_probabilities_in_any_batch() -> None:
    predictor = Predictor(onnx_graph.to_onnx(RECIPE, architecture.initial_state(RECIPE, 3)))
    batch = np.random.default_rng(1).integers(0, 256, (9, 784), np.uint8)
    together, alone = predictor.predict(batch), [predictor.predict(batch[n : n + 1]) for n in range(9)]
    one_by_one = np.concatenate([prediction.probabilities for prediction in alone])
    np.testing.assert_allclose(together.probabilities, one_by_one, atol=1e-6)
    none = np.concatenate([prediction.not_a_digit for prediction in alone])
    np.testing.assert_allclose(together.not_a_digit, none, atol=1e-6)


def test_a_stop_does_not_wait_for_a_read_that_hangs() -> None:
    bench = Bench()
    bench.held.held.add("models/v1.bundle")
    bench.serving.start()
    bench.publish()
    wait_until(lambda: bool(bench.held.reads))

    async def stop() -> None:
        async with asyncio.timeout(5):
            await asyncio.to_thread(bench.serving.stop)

    asyncio.run(stop())
    bench.close()
