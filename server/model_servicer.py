"""digits.v1.ModelService: the registry of versions."""

from __future__ import annotations

from collections.abc import Iterable

import grpc

from digits.errors import InvalidInput
from digits.jobs.retention import Limits
from digits.models.comparison import Comparison
from digits.models.export import Export
from digits.models.live_labels import LiveLabels
from digits.models.promotion import Promotion
from digits.models.registry import Registry
from digits.models.retention import ModelRetention
from digits.serving.version_floor import VersionFloor
from digits.v1 import models_pb2 as pb
from digits.v1 import models_pb2_grpc
from server.access import Access
from server.asking import Asking
from server.audited import origin_of
from server.blocking import blocking, comparing, storing
from server.paging import page_size
from server.pruning import limits_of


class ModelServicer(models_pb2_grpc.ModelServiceServicer):
    """Translates, calls the core, returns."""

    def __init__(
        self,
        registry: Registry,
        promotion: Promotion,
        *,
        comparison: Comparison,
        export: Export,
        live_labels: LiveLabels,
        floor: VersionFloor,
        access: Access,
        retention: ModelRetention,
        limits: Limits,
    ) -> None:
        self._registry, self._promotion, self._comparison = registry, promotion, comparison
        self._retention, self._limits = retention, limits
        self._floor, self._access = floor, access
        self._export = export
        # Versions are listed, whatever the store does.
        self._live = Asking("labels", live_labels.by_version, patience_seconds=0.5)

    async def ListModels(
        self, request: pb.ListModelsRequest, context: grpc.aio.ServicerContext
    ) -> pb.ListModelsResponse:
        """Returns a page of versions, newest first."""
        size = page_size(request.page_size)
        models = await blocking(self._registry.newest, size, request.page_token)
        await self._add_live_accuracy(models)
        token = models[-1].version if len(models) == size else ""
        return pb.ListModelsResponse(models=models, next_page_token=token)

    async def GetModel(self, request: pb.GetModelRequest, context: grpc.aio.ServicerContext) -> pb.Model:
        """Returns one version."""
        model = await blocking(self._registry.get, request.version)
        await self._add_live_accuracy([model])
        return model

    async def PromoteModel(
        self, request: pb.PromoteModelRequest, context: grpc.aio.ServicerContext
    ) -> pb.Model:
        """Makes a version serve; the next Classify of this server is answered by it."""
        caller = self._access.caller(context)
        model = await storing(self._promotion.promote, request.version, caller, origin_of(context))
        await self._floor.reach(model.version)
        return model

    async def RollbackModel(
        self, request: pb.RollbackModelRequest, context: grpc.aio.ServicerContext
    ) -> pb.Model:
        """Makes the version serve that served before."""
        caller = self._access.caller(context)
        model = await storing(self._promotion.rollback, request.from_version, caller, origin_of(context))
        await self._floor.reach(model.version)
        return model

    async def ListServingHistory(
        self, request: pb.ListServingHistoryRequest, context: grpc.aio.ServicerContext
    ) -> pb.ListServingHistoryResponse:
        """Returns a page of the alias's moves, newest first."""
        size = page_size(request.page_size)
        changes = await blocking(self._registry.serving_history, size, request.page_token)
        token = str(changes[-1].generation) if len(changes) == size else ""
        return pb.ListServingHistoryResponse(changes=changes, next_page_token=token)

    async def ExportModel(
        self, request: pb.ExportModelRequest, context: grpc.aio.ServicerContext
    ) -> pb.ExportModelResponse:
        """Returns a version as a file."""
        kind = request.format or pb.ExportModelRequest.BUNDLE
        if kind not in pb.ExportModelRequest.Format.values():
            raise InvalidInput("format", f"one of {', '.join(pb.ExportModelRequest.Format.keys())}")
        return await storing(self._export.file, request.version, kind)

    async def CompareModels(
        self, request: pb.CompareModelsRequest, context: grpc.aio.ServicerContext
    ) -> pb.CompareModelsResponse:
        """Has two versions read the reference set."""
        return await comparing(self._comparison.compare, request.first_version, request.second_version)

    async def PinModel(self, request: pb.PinModelRequest, context: grpc.aio.ServicerContext) -> pb.Model:
        """Keeps a version from being pruned, or no longer."""
        return await blocking(self._registry.pin, request.version, request.pinned)

    async def PruneModels(
        self, request: pb.PruneModelsRequest, context: grpc.aio.ServicerContext
    ) -> pb.PruneModelsResponse:
        """Removes versions that never served."""
        limits = limits_of(request, self._limits)
        versions = await storing(self._retention.prune, limits, request.dry_run)
        return pb.PruneModelsResponse(versions=versions)

    async def _add_live_accuracy(self, models: Iterable[pb.Model]) -> None:
        live, _ = await self._live.answer()
        for model in models:
            if live and model.version in live:
                model.live_accuracy.CopyFrom(live[model.version])
