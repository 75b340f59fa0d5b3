"""Who may call what, and how much of it at a time."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
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
    "PruneJobs": Role.ADMIN,
    "PromoteModel": Role.ADMIN,
    "RollbackModel": Role.ADMIN,
    "PinModel": Role.ADMIN,
    "PruneModels": Role.ADMIN,
    "ListModels": None,
    "GetModel": None,
    "ListServingHistory": None,
    "ExportModel": Role.TRAIN,
    "CompareModels": Role.TRAIN,
    "ReportLabel": Role.CLASSIFY,
    "ListBatches": Role.TRAIN,
    "GetStatus": None,
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
# Probes have no token.
_OPEN_TO_ALL = "/grpc.health.v1.Health/"

Metadata = Iterable[tuple[str, str | bytes]]


class Access:
    """Lets callers in. Without tokens everybody may do everything, and an address is a caller."""

    def __init__(self, tokens: Tokens | None, max_calls_per_caller: int) -> None:
        self._tokens, self._max_calls = tokens, max_calls_per_caller
        self._open: Counter[str] = Counter()

    def check(self, method: str, metadata: Metadata) -> None:
        """By a call's headers alone; raises Unauthenticated, Forbidden."""
        if self._tokens is None or method.startswith(_OPEN_TO_ALL):
            return
        holder, role = self._tokens.holder(_authorization(metadata)), ROLES[method.rpartition("/")[2]]
        if role and not holder.may(role):
            raise _forbidden(holder, role, "this call")

    def require(self, role: Role, context: grpc.aio.ServicerContext, what: str) -> None:
        """For what a method does only to some; raises Unauthenticated, Forbidden."""
        if self._tokens and not (holder := self._holder(context)).may(role):
            raise _forbidden(holder, role, what)

    def caller(self, context: grpc.aio.ServicerContext) -> str:
        """The caller's name; raises Unauthenticated."""
        return self._holder(context).name if self._tokens else _host(context.peer())

    def owner(self, context: grpc.aio.ServicerContext) -> str:
        """Whose jobs the caller may know of: its own alone, or everybody's if this is empty.

        Raises Unauthenticated.
        """
        if self._tokens is None:
            return ""
        holder = self._holder(context)
        return "" if holder.may(Role.ADMIN) else holder.name

    def enter(self, context: grpc.aio.ServicerContext) -> str:
        """Begins a call and returns its caller, to be given to `leave` when the call is over.

        Raises Unauthenticated, and Overloaded for one call too many. Two methods, since a generator's
        context manager took 3 % of the server's time for a Classify.
        """
        name = self.caller(context)
        if self._open[name] >= self._max_calls:
            found = f"{name} has {self._max_calls} calls open here already (DIGITS_MAX_CALLS_PER_CALLER)"
            raise Overloaded(found, retry_after_seconds=1.0)
        self._open[name] += 1
        return name

    def leave(self, name: str) -> None:
        """Ends one of the caller's calls."""
        self._open[name] -= 1
        if not self._open[name]:
            del self._open[name]

    def _holder(self, context: grpc.aio.ServicerContext) -> Principal:
        assert self._tokens
        return self._tokens.holder(_authorization(context.invocation_metadata() or ()))


class Authorized:
    """A servicer whose callers have a share of calls; a stream ends with the token that opened it."""

    def __init__(self, servicer: object, access: Access) -> None:
        self._servicer, self._access = servicer, access

    def __getattr__(self, name: str) -> Callable[..., Any]:
        behaviour = getattr(self._servicer, name)
        assert name in ROLES, f"who may call {name}? server/access.py does not say"
        return self._streaming(behaviour) if inspect.isasyncgenfunction(behaviour) else self._unary(behaviour)

    def _unary(self, behaviour: Callable[..., Any]) -> Callable[..., Any]:
        async def call(request: Any, context: grpc.aio.ServicerContext) -> Any:
            caller = self._access.enter(context)
            try:
                return await behaviour(request, context)
            finally:
                self._access.leave(caller)

        return call

    def _streaming(self, behaviour: Callable[..., Any]) -> Callable[..., Any]:
        async def call(request: Any, context: grpc.aio.ServicerContext) -> AsyncIterator[Any]:
            caller = self._access.enter(context)
            try:
                async for response in behaviour(request, context):
                    self._access.caller(context)
                    yield response
            finally:
                self._access.leave(caller)

        return call


def _forbidden(holder: Principal, role: Role, what: str) -> Forbidden:
    roles = ",".join(sorted(holder.roles))
    return Forbidden(
        f"the token of {holder.name} is for {roles}, and {what} needs the role {role}: "
        f"give its line in the tokens file the roles {roles},{role}"
    )


def _authorization(metadata: Metadata) -> str:
    return next((str(value) for key, value in metadata if key == "authorization"), "")


def _host(peer: str) -> str:
    """The address without the port, which is another for every connection: ipv4:127.0.0.1."""
    return peer.rpartition(":")[0] if peer.startswith(("ipv4:", "ipv6:")) else peer
