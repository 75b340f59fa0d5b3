"""What holds after every step, and what holds once nothing is left to do."""

from __future__ import annotations

import numpy as np

from digits import envelope
from digits.errors import DigitsError
from digits.jobs.states import is_final, lease_path
from digits.models import bundle
from digits.training import tensors
from digits.v1 import artifacts_pb2, models_pb2
from digits.v1 import training_pb2 as pb
from tests.simulation.spark import EPOCHS
from tests.simulation.trainer import HOPELESS, POISON, Trainer
from tests.simulation.world import World


def check_always(world: World) -> None:
    """After every step."""
    _accepted_jobs_can_go_on(world)
    _a_request_is_one_job(world)
    _effects_are_once(world)
    _leases_have_their_trainers(world)
    _the_alias_goes_forward(world)
    _servers_answer_with_what_the_alias_named(world)


def check_at_rest(world: World) -> None:
    """After `World.settle`."""
    check_always(world)
    _jobs_ended_as_they_should(world)
    _records_tell_their_course(world)
    _nothing_is_left(world)


def _accepted_jobs_can_go_on(world: World) -> None:
    jobs, open_jobs = {job.job_id: job for job in world.jobs()}, world.open_jobs()
    for told in world.accepted().values():
        for job_id in told:
            assert job_id in jobs, f"{job_id} was accepted and is gone"
    for job in jobs.values():
        assert is_final(job) or f"/open/{job.job_id}" in open_jobs, f"{job.job_id} is nobody's"


def _a_request_is_one_job(world: World) -> None:
    for request_id, told in world.accepted().items():
        assert len(told) == 1, f"{request_id} is {told}"
    names = [job.spec.request_id for job in world.jobs()]
    assert len(set(names)) == len(names), f"one request, two jobs: {names}"


def _models(world: World) -> dict[str, models_pb2.Model]:
    nodes = world.systems.tree.nodes
    found = [models_pb2.Model.FromString(nodes[path].value) for path in nodes if path.startswith("/models/")]
    return {model.version: model for model in found}


def _effects_are_once(world: World) -> None:
    of_job = {job.job_id: job for job in world.jobs()}
    made = [model.provenance.job_id for model in _models(world).values()]
    assert len(set(made)) == len(made), f"two versions of one job: {made}"
    for job in of_job.values():
        assert (job.state == pb.SUCCEEDED) == (job.job_id in made), f"{job.job_id} is {job.state}"
    for model in _models(world).values():
        if model.version not in world.seen:
            world.seen[model.version] = _seen(world, model)
        seen = world.seen[model.version]
        assert (seen == EPOCHS).all(), f"{model.version} saw images {seen.astype(int).tolist()} times"


def _seen(world: World, model: models_pb2.Model) -> np.ndarray:
    data = world.systems.store._files[model.store_path]
    made = envelope.unseal(data, artifacts_pb2.ModelBundle)
    return np.round(tensors.from_proto(made.weights)["seen"])


def _leases_have_their_trainers(world: World) -> None:
    """A lease stands for a session that may end yet, or for a trainer that is at the job.

    A trainer that was told to stop may have made one and not have heard so: its session ends when it does.
    """
    busy = {
        lease_path(actor.job_id)
        for actor in (*world.actors.values(), *world.dead_sessions)
        if isinstance(actor, Trainer) and actor.job_id
    }
    ending = {
        node._path
        for actor in world.actors.values()
        if isinstance(actor, Trainer) and actor.stopping.is_set()
        for node in actor.coordinator._unwanted
    }
    for path in world.leases():
        assert path in busy | ending, f"{path} is nobody's"


def _serving(world: World) -> models_pb2.Serving:
    stored = world.systems.tree.nodes.get("/serving")
    return models_pb2.Serving.FromString(stored.value) if stored else models_pb2.Serving()


def _the_alias_goes_forward(world: World) -> None:
    serving, models = _serving(world), _models(world)
    generations = [change.generation for change in serving.history]
    assert generations == sorted(set(generations))
    for change in serving.history:
        by_hand = change.reason != models_pb2.ServingChange.GATE
        older = _number(change.version) < _number(change.previous_version)
        assert by_hand or not older, f"the gate went back from {change.previous_version} to {change.version}"
    if serving.version:
        model = models[serving.version]
        try:
            bundle.load(bundle.fetch(world.systems.store, model), model.version)
        except DigitsError as error:
            raise AssertionError(f"the alias names what cannot be loaded: {error}") from error


def _servers_answer_with_what_the_alias_named(world: World) -> None:
    named = {change.generation: change.version for change in _serving(world).history}
    for actor in world.actors.values():
        if isinstance(actor, Trainer):
            continue
        now = actor.serving.now()
        version = now.model.version if now.model else ""
        assert now.generation == 0 or named[now.generation] == version
        before = world.answered.get(id(actor), 0)
        assert now.generation >= before, f"{actor.process.name} went back from {before} to {now.generation}"
        world.answered[id(actor)] = now.generation


def _number(version: str) -> int:
    return int(version.removeprefix("v") or 0)


def _jobs_ended_as_they_should(world: World) -> None:
    for job in world.jobs():
        if job.spec.seed == HOPELESS:
            right = job.state in (pb.FAILED, pb.CANCELLED)
        elif job.spec.seed == POISON:
            right = job.state in (pb.FAILED, pb.CANCELLED) and job.attempt_count <= 3
        elif job.state == pb.FAILED:
            right = world.blamed[job.job_id] >= 3 or "no room" in job.progress.error.message
        else:
            right = job.state == pb.SUCCEEDED or job.cancel_requested
        assert right, f"{job.job_id} ended {pb.JobState.Name(job.state)}: {job.progress.error.message}"


def _records_tell_their_course(world: World) -> None:
    """A micro-batch is untold only if its trainer ended between its commit and telling of it."""
    for job in world.jobs():
        told = [point.micro_batch for point in job.history]
        assert told == sorted(set(told)), f"{job.job_id} tells of {told}"
        untold = set(range(1, job.progress.micro_batch + 1)) - set(told)
        assert len(untold) <= len(job.resumptions), f"{job.job_id} tells nothing of {sorted(untold)}"


def _nothing_is_left(world: World) -> None:
    registered = {model.store_path for model in _models(world).values()}
    left = set(world.systems.store._files) - registered
    assert not left, f"the store still holds {sorted(left)}"
    assert not world.systems.log.blocks, f"logs of {list(world.systems.log.blocks)}"
    assert not world.leases() and not world.open_jobs()
