"""What a training ended with, as a bundle that may be published."""

from __future__ import annotations

from dataclasses import dataclass

import digits
from digits.datasets.dataset import Dataset
from digits.models import gate, onnx_graph
from digits.models.evaluation import Judges
from digits.models.predictor import Predictor
from digits.models.robustness import robustness, suspicion
from digits.training import architecture, tensors
from digits.training.recipes import Recipe
from digits.v1 import artifacts_pb2, models_pb2
from digits.v1 import training_pb2 as pb
from spark_jobs.plan import Plan
from spark_jobs.training_state import TrainingState


@dataclass(frozen=True)
class Candidate:
    """A network that may be published, and how it read its held-out images."""

    bundle: artifacts_pb2.ModelBundle
    reading: pb.HeldOutReading


def evaluated(plan: Plan, state: TrainingState, keras_config: str, judges: Judges) -> Candidate:
    """The trained network as ONNX and as Keras's weights, measured on images that it never saw.

    Raises NotLearned if it is no better than chance, unless it went on from a version that had learned: it
    may meet held-out images that are few and hard, such as corrections, and the gate sees if it forgot.
    """
    candidate = measured(
        plan.recipe, state.tensors, keras_config, judges, threads=plan.partitions, continued=plan.continued
    )
    candidate.bundle.moments.extend(tensors.to_proto(architecture.moments(state.tensors)))
    return candidate


def measured(
    recipe: Recipe,
    state: tensors.State,
    keras_config: str,
    judges: Judges,
    *,
    threads: int = 1,
    continued: bool = False,
) -> Candidate:
    """A network of these weights, whoever trained it; raises NotLearned, unless it is `continued`."""
    onnx = onnx_graph.to_onnx(recipe, state)
    metrics, reading = _judged(Predictor(onnx, threads), judges, continued)
    bundle = artifacts_pb2.ModelBundle(
        onnx=onnx,
        keras_config=keras_config,
        weights=tensors.to_proto(architecture.weights(state)),
        metrics=metrics,
    )
    return Candidate(bundle, reading)


def _judged(
    predictor: Predictor, judges: Judges, continued: bool
) -> tuple[models_pb2.Metrics, pb.HeldOutReading]:
    metrics, reading = judges.judge(predictor)
    if not continued:
        gate.check_learned(metrics)
    if judges.reference is not None:
        metrics.robustness = robustness(predictor, judges.reference)
        metrics.suspicion = suspicion(predictor, judges.reference)
    return metrics, reading


def provenance(job: pb.Job, dataset: Dataset, plan: Plan, state: TrainingState) -> models_pb2.Provenance:
    """Where a model came from: enough to train it again."""
    return models_pb2.Provenance(
        job_id=job.job_id,
        data_name=job.spec.images_batch_path or "upload",
        data_sha256=dataset.sha256(),
        recipe=plan.recipe.name,
        base_model_version=job.spec.base_model_version,
        seed=job.spec.seed,
        code_version=digits.__version__,
        image_count=dataset.train_count,
        epochs=plan.epochs * plan.passes,
        training_seconds=state.seconds,
    )
