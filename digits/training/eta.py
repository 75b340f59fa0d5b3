"""How long a training still takes, from how long its newest micro-batches took."""

from __future__ import annotations

from collections import deque

# Two epochs' worth of MNIST by `standard`: the start of an epoch takes time too, and a machine gets busy
# and idle.
_MICRO_BATCHES = 8


class Eta:
    """Counts from commit to commit, since what lies between two micro-batches takes time too."""

    def __init__(self, images_total: int) -> None:
        self._images_total = images_total
        self._commits: deque[tuple[float, int]] = deque(maxlen=_MICRO_BATCHES + 1)
        self._only_started = True

    def started(self, now: float, images_trained: int) -> None:
        """Training starts, or goes on, with so many images behind it; `now` is in seconds of any clock."""
        self._commits.append((now, images_trained))

    def committed(self, now: float, images_trained: int) -> float:
        """Another micro-batch is committed; returns the seconds that are left."""
        if len(self._commits) == 2 and self._only_started:
            # The first micro-batch warms everything up: from the second one on it would mislead.
            self._commits.popleft()
            self._only_started = False
        self._commits.append((now, images_trained))
        (first_time, first_images), (time, images) = self._commits[0], self._commits[-1]
        return (self._images_total - images) * (time - first_time) / (images - first_images)
