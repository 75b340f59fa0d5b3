"""Calls that change what others see: who made them, when and from where goes to the audit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc

from digits.errors import DigitsError
from digits.signals import audit
from digits.v1 import models_pb2, training_pb2
from server.access import Access

FORWARDED_FOR = "x-forwarded-for"


class Audited:
    """A servicer of which some calls are written down, also those that fail; the others pass as they are."""

    def __init__(self, servicer: object, access: Access) -> None:
        self._servicer, self._access = servicer, access

    def __getattr__(self, name: str) -> Callable[..., Any]:
        behaviour = getattr(self._servicer, name)
        return self._written(behaviour, *_CHANGES[name]) if name in _CHANGES else behaviour

    def _written(
        self, behaviour: Callable[..., Any], action: str, what: Callable[[Any, Any], str]
    ) -> Callable[..., Any]:
        async def call(request: Any, context: grpc.aio.ServicerContext) -> Any:
            who, origin = self._access.caller(context), origin_of(context)
            try:
                response = await behaviour(request, context)
            except DigitsError as error:
                audit.record(f"{action} refused:", str(error), who=who, origin=origin)
                raise
            if not getattr(request, "dry_run", False):
                audit.record(action, what(request, response), who=who, origin=origin)
            return response

        return call


def origin_of(context: grpc.aio.ServicerContext) -> str:
    """Where a call comes from: the address, and for whom a bridge or a proxy there says that it calls."""
    metadata = context.invocation_metadata() or ()
    forwarded = next((str(value) for key, value in metadata if key == FORWARDED_FOR), "")
    return f"{context.peer()} for {forwarded[:100]}" if forwarded else str(context.peer())


def _promoted(request: models_pb2.PromoteModelRequest, model: models_pb2.Model) -> str:
    return model.version


def _rolled_back(request: models_pb2.RollbackModelRequest, model: models_pb2.Model) -> str:
    asked = f" (asked from {request.from_version})" if request.from_version else ""
    return f"to {model.version}{asked}"


def _cancelled(request: training_pb2.CancelJobRequest, job: training_pb2.Job) -> str:
    return f"job {job.job_id}"


def _pinned(request: models_pb2.PinModelRequest, model: models_pb2.Model) -> str:
    return f"{model.version}: {request.pinned}"


def _pruned_jobs(request: object, response: training_pb2.PruneJobsResponse) -> str:
    return _list("jobs", response.job_ids)


def _pruned_models(request: object, response: models_pb2.PruneModelsResponse) -> str:
    return _list("versions", response.versions)


def _list(kind: str, names: Any) -> str:
    return f"{len(names)} {kind}: {', '.join(names)}" if names else f"no {kind}"


_CHANGES: dict[str, tuple[str, Callable[[Any, Any], str]]] = {
    "PromoteModel": ("promote", _promoted),
    "RollbackModel": ("rollback", _rolled_back),
    "CancelJob": ("cancel", _cancelled),
    "PinModel": ("pin", _pinned),
    "PruneJobs": ("prune", _pruned_jobs),
    "PruneModels": ("prune", _pruned_models),
}
