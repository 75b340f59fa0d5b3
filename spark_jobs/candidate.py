"""What a training ended with, as a bundle that may be published."""

from __future__ import annotations

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


def evaluated(
    plan: Plan, state: TrainingState, keras_config: str, judges: Judges
) -> artifacts_pb2.ModelBundle:
    """The trained network as ONNX and as Keras's weights, measured on images that it never saw.

    Raises NotLearned if it is no better than chance, unless it went on from a version that had learned: it
    may meet held-out images that are few and hard, such as corrections, and the gate sees if it forgot.
    """
    bundle = measured(
        plan.recipe, state.tensors, keras_config, judges, threads=plan.partitions, continued=plan.continued
    )
    bundle.moments.extend(tensors.to_proto(architecture.moments(state.tensors)))
    return bundle


def measured(
    recipe: Recipe,
    state: tensors.State,
    keras_config: str,
    judges: Judges,
    *,
    threads: int = 1,
    continued: bool = False,
) -> artifacts_pb2.ModelBundle:
    """A network of these weights, whoever trained it; raises NotLearned, unless it is `continued`."""
    onnx = onnx_graph.to_onnx(recipe, state)
    return artifacts_pb2.ModelBundle(
        onnx=onnx,
        keras_config=keras_config,
        weights=tensors.to_proto(architecture.weights(state)),
        metrics=_metrics(Predictor(onnx, threads), judges, continued),
    )


def _metrics(predictor: Predictor, judges: Judges, continued: bool) -> models_pb2.Metrics:
    metrics = judges.measure(predictor)
    if not continued:
        gate.check_learned(metrics)
    if judges.reference is not None:
        metrics.robustness = robustness(predictor, judges.reference)
        metrics.suspicion = suspicion(predictor, judges.reference)
    return metrics


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
