"""Who may call what, and how much of it at a time."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc

from digits.errors import Forbidden, Overloaded
from digits.security.tokens import Principal, Role, Tokens

# A method that is missing here cannot be served; None: any token will do.
ROLES: dict[str, Role | None] = {
    "Train": Role.TRAIN,
    "TrainUpload": Role.TRAIN,
    "GetJob": Role.TRAIN,
    "ListJobs": Role.TRAIN,
    "WatchJob": Role.TRAIN,
    "CancelJob": Role.TRAIN,
    "PruneJobs": Role.TRAIN,
    "PromoteModel": Role.TRAIN,
    "RollbackModel": Role.TRAIN,
    "PinModel": Role.TRAIN,
    "PruneModels": Role.TRAIN,
    "ListModels": None,
    "GetModel": None,
    "ListServingHistory": None,
    "Classify": Role.CLASSIFY,
    "ClassifyStream": Role.CLASSIFY,
    "ModelInfer": Role.CLASSIFY,
    "ModelReady": None,
    "ModelMetadata": None,
    "ServerLive": None,
    "ServerReady": None,
    "ServerMetadata": None,
    "ServerReflectionInfo": None,
}


class Access:
    """Lets callers in. Without tokens everybody may do everything, and an address is a caller."""

    def __init__(self, tokens: Tokens | None, max_calls_per_caller: int) -> None:
        self._tokens, self._max_calls = tokens, max_calls_per_caller
        self._open: Counter[str] = Counter()

    def caller(self, context: grpc.aio.ServicerContext) -> str:
        """The caller's name; raises Unauthenticated."""
        return self._holder(context).name if self._tokens else _host(context.peer())

    def enter(self, role: Role | None, context: grpc.aio.ServicerContext) -> str:
        """Begins a call and returns its caller, to be given to `leave` when the call is over.

        Raises Unauthenticated, Forbidden, and Overloaded for one call too many. Two methods, since a
        generator's context manager took 3 % of the server's time for a Classify.
        """
        if self._tokens:
            holder = self._holder(context)
            if role and role not in holder.roles:
                raise Forbidden(f"the token of {holder.name} is not for this call: it needs the role {role}")
            name = holder.name
        else:
            name = _host(context.peer())
        if self._open[name] >= self._max_calls:
            raise Overloaded(f"{name} has {self._max_calls} calls open here already", retry_after_seconds=1.0)
        self._open[name] += 1
        return name

    def leave(self, name: str) -> None:
        """Ends one of the caller's calls."""
        self._open[name] -= 1
        if not self._open[name]:
            del self._open[name]

    def _holder(self, context: grpc.aio.ServicerContext) -> Principal:
        assert self._tokens
        metadata = context.invocation_metadata() or ()
        header = next((str(value) for key, value in metadata if key == "authorization"), "")
        return self._tokens.holder(header)


class Authorized:
    """A servicer whose methods are called only by whom they are for."""

    def __init__(self, servicer: object, access: Access) -> None:
        self._servicer, self._access = servicer, access

    def __getattr__(self, name: str) -> Callable[..., Any]:
        behaviour, role = getattr(self._servicer, name), ROLES[name]
        if inspect.isasyncgenfunction(behaviour):
            return self._streaming(behaviour, role)
        return self._unary(behaviour, role)

    def _unary(self, behaviour: Callable[..., Any], role: Role | None) -> Callable[..., Any]:
        async def call(request: Any, context: grpc.aio.ServicerContext) -> Any:
            caller = self._access.enter(role, context)
            try:
                return await behaviour(request, context)
            finally:
                self._access.leave(caller)

        return call

    def _streaming(self, behaviour: Callable[..., Any], role: Role | None) -> Callable[..., Any]:
        async def call(request: Any, context: grpc.aio.ServicerContext) -> AsyncIterator[Any]:
            caller = self._access.enter(role, context)
            try:
                async for response in behaviour(request, context):
                    yield response
            finally:
                self._access.leave(caller)

        return call


def _host(peer: str) -> str:
    """The address without the port, which is another for every connection: ipv4:127.0.0.1."""
    return peer.rpartition(":")[0] if peer.startswith(("ipv4:", "ipv6:")) else peer
