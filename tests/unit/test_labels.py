"""What people said of pictures, kept in the store."""

from __future__ import annotations

import pytest

from digits.adapters.memory import MemoryStore
from digits.errors import NotFound, Overloaded
from digits.feedback import labels as module
from digits.feedback.labels import FOLDER, Labels, callers
from digits.feedback.predictions import Predictions
from tests.unit.feedback_bench import labelled


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def ids(labels: Labels) -> list[str]:
    return [image.prediction_id for image in labels.all()]


def test_what_one_server_was_told_every_other_finds(store: MemoryStore) -> None:
    Labels(store, 10).add(labelled("a"))
    other = Labels(store, 10)
    assert ids(other) == ["a"]
    Labels(store, 10).add(labelled("b"))
    assert ids(other) == ["a", "b"]


def test_the_newest_word_on_a_picture_holds(store: MemoryStore) -> None:
    labels = Labels(store, 10)
    for label in (3, 8):
        labels.add(labelled("a", label))
    assert [(image.prediction_id, image.label) for image in labels.all()] == [("a", 8)]


def test_a_caller_has_a_share_and_may_still_correct_itself(store: MemoryStore) -> None:
    labels = Labels(store, max_per_caller=2)
    labels.add(labelled("a"))
    labels.add(labelled("b"))
    with pytest.raises(Overloaded, match="ann has labelled 2 pictures"):
        labels.add(labelled("c"))
    labels.add(labelled("b", 7))
    labels.add(labelled("c", caller="bob"))
    assert ids(labels) == ["a", "b", "c"]


def test_many_shards_become_one_and_nothing_is_lost(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MAX_SHARDS", 3)
    labels = Labels(store, 10)
    for name in "abcd":
        labels.add(labelled(name, 1))
    labels.add(labelled("a", 2))
    before = labels.all()
    labels.merge()
    assert len(store.names(FOLDER)) == 1
    assert Labels(store, 10).all() == before
    labels.add(labelled("a", 3))
    assert next(image.label for image in labels.all() if image.prediction_id == "a") == 3


def test_a_damaged_shard_costs_itself_alone_and_is_not_removed(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MAX_SHARDS", 1)
    labels = Labels(store, 10)
    labels.add(labelled("a"))
    store.publish(f"{FOLDER}/00000000000000000001-damaged", b"junk")
    assert ids(labels) == ["a"]
    labels.merge()
    assert f"{FOLDER}/00000000000000000001-damaged" in store.names(FOLDER)


def test_who_labelled_how_many_is_said_most_first() -> None:
    images = [labelled("a"), labelled("b", caller="bob"), labelled("c", caller="bob")]
    assert callers(images) == "bob 2, ann 1"


def test_a_server_remembers_its_newest_predictions_alone() -> None:
    predictions = Predictions(max_remembered=2)
    first, second, third = (predictions.remember(bytes([n]) * 784, n, "v1") for n in range(3))
    assert (predictions.find(third).digit, predictions.find(second).pixels) == (2, bytes([1]) * 784)
    for unknown in (first, "", "guessed"):
        with pytest.raises(NotFound, match="send its pixels"):
            predictions.find(unknown)
