"""What people said of answers, held against the versions: how right each is, and whether one has to go."""

from __future__ import annotations

import logging

from digits.errors import DigitsError
from digits.feedback.labels import Labels
from digits.feedback.live_accuracy import clearly_worse, live_accuracies
from digits.models.promotion import Promotion
from digits.models.registry import Registry
from digits.signals import audit
from digits.signals.metrics import serving as measured
from digits.v1 import feedback_pb2
from digits.v1 import models_pb2 as pb

logger = logging.getLogger(__name__)

# Who moved the alias, in its history.
CALLER = "live labels"


class LiveLabels:
    """Keeps labels and, if `rollback` says so, rolls back what they show to be worse."""

    def __init__(self, labels: Labels, registry: Registry, promotion: Promotion, *, rollback: bool) -> None:
        self._labels, self._registry, self._promotion = labels, registry, promotion
        self._rollback = rollback

    def by_version(self) -> dict[str, pb.LiveAccuracy]:
        """How right each version is that was labelled; raises StoreUnavailable."""
        return live_accuracies(self._labels.all())

    def report(self, image: feedback_pb2.LabelledImage) -> pb.LiveAccuracy:
        """Keeps a label and says how right its version is by then; raises Overloaded, StoreUnavailable."""
        self._labels.add(image)
        measured.LABELS.labels(right=str(image.label == image.digit).lower()).inc()
        live = self.by_version()
        if self._rollback:
            self._judge(live)
        return live[image.model_version]

    def _judge(self, live: dict[str, pb.LiveAccuracy]) -> None:
        """The label is kept, whatever becomes of the rollback: the next label tries again."""
        try:
            alias = self._registry.alias()
            serving, before = alias.serving.version, alias.version_before()
            if serving in live and before in live and clearly_worse(live[serving], live[before]):
                self._promotion.rollback(serving, CALLER, reason=pb.ServingChange.LIVE_LABELS)
                logger.warning("%s is worse than %s on live labels: rolled back", serving, before)
                measured.LIVE_ROLLBACKS.inc()
                audit.by_the_service("rolled back by live labels", [f"{serving} to {before}"])
        except DigitsError as error:
            logger.warning("what serves could not be rolled back by live labels: %s", error)
