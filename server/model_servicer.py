"""digits.v1.ModelService: the registry of versions."""

from __future__ import annotations

import grpc

from digits.models.registry import Registry
from digits.v1 import models_pb2 as pb
from digits.v1 import models_pb2_grpc
from server.blocking import blocking
from server.paging import page_size


class ModelServicer(models_pb2_grpc.ModelServiceServicer):
    """Translates, calls the core, returns."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def ListModels(
        self, request: pb.ListModelsRequest, context: grpc.aio.ServicerContext
    ) -> pb.ListModelsResponse:
        """Returns a page of versions, newest first."""
        size = page_size(request.page_size)
        models = await blocking(self._registry.newest, size, request.page_token)
        token = models[-1].version if len(models) == size else ""
        return pb.ListModelsResponse(models=models, next_page_token=token)

    async def GetModel(self, request: pb.GetModelRequest, context: grpc.aio.ServicerContext) -> pb.Model:
        """Returns one version."""
        return await blocking(self._registry.get, request.version)

    async def PromoteModel(
        self, request: pb.PromoteModelRequest, context: grpc.aio.ServicerContext
    ) -> pb.Model:
        """Makes a version serve."""
        return await blocking(self._registry.promote, request.version)

    async def RollbackModel(
        self, request: pb.RollbackModelRequest, context: grpc.aio.ServicerContext
    ) -> pb.Model:
        """Makes the version serve that served before."""
        return await blocking(self._registry.rollback)
