"""Lines between processes that carry nothing for a while, though nobody closed them.

The kernel drops what comes to a port of loopback, or from it: nobody is told, as on a network that parts.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from functools import partial
from random import Random

import psutil

from deploy.native.folder import StateFolder
from deploy.native.supervision.record import RunRecord
from tests.as_root import NotAllowed, as_root
from tests.chaos.faults import SECONDS, Fault
from tests.service import Service

_CALLERS = ("server", "classify-worker", "train-worker", "bridge")
# As many as one rule takes.
_MAX_PORTS = 15


class Partitions:
    """See Kind. A server that nobody reaches, or one that hears everybody and whom nobody hears."""

    def __init__(self, service: Service) -> None:
        self._ports = ports_of(service)

    def draw(self, random_: Random) -> Fault:
        """See Kind."""
        name, seconds = random_.choice(sorted(self._ports)), random_.choice(SECONDS)
        to, from_ = ("--dport", str(self._ports[name])), ("--sport", str(self._ports[name]))
        what, flows = random_.choice((("cut off", (to, from_)), ("lose the answers of", (from_,))))
        return Fault(what, name, partial(_drop_for, seconds, flows), seconds)


class HalfOpen:
    """See Kind. The connections that one process has to one server die silently; new ones are made."""

    def __init__(self, service: Service) -> None:
        self._service, self._ports = service, ports_of(service)

    def draw(self, random_: Random) -> Fault:
        """See Kind."""
        caller, name = random_.choice(_CALLERS), random_.choice(sorted(self._ports))
        seconds = random_.choice(SECONDS)
        happen = partial(self._silence, caller, self._ports[name], seconds)
        return Fault("silence the lines of", f"{caller} to {name}", happen, seconds)

    def _silence(self, caller: str, port: int, seconds: float) -> bool:
        own = _own_ends(self._service, caller, port)
        if not own:
            return False
        ends = ",".join(map(str, own[:_MAX_PORTS]))
        there = ("--dport", str(port), "-m", "multiport", "--sports", ends)
        back = ("--sport", str(port), "-m", "multiport", "--dports", ends)
        return _drop_for(seconds, (there, back))


def ports_of(service: Service) -> dict[str, int]:
    """The ports that the service's own parts call, by name."""
    record = RunRecord.read(StateFolder.at(service.var_dir))
    assert record, "the service does not run"
    called = {name: port for name, port in record.ports.items() if not name.endswith((" metrics", "-web"))}
    return {**called, "server": service.grpc_port}


def why_not() -> str:
    """Why this machine does not let us drop anything; empty if it does."""
    try:
        with _dropping([("--dport", "9")]):
            return ""
    except NotAllowed as error:
        return str(error)


def _own_ends(service: Service, caller: str, port: int) -> list[int]:
    """The caller's own ports of its connections to another one."""
    with contextlib.suppress(psutil.NoSuchProcess, StopIteration):
        process = service.process(caller)
        family = [process, *process.children(recursive=True)]
        connections = [connection for each in family for connection in each.net_connections("tcp")]
        return [each.laddr.port for each in connections if each.raddr and each.raddr.port == port]
    return []


def _drop_for(seconds: float, flows: Sequence[Sequence[str]]) -> bool:
    with _dropping(flows):
        time.sleep(seconds)
    return True


@contextlib.contextmanager
def _dropping(flows: Sequence[Sequence[str]]) -> Iterator[None]:
    with contextlib.ExitStack() as dropped:
        for flow in flows:
            rule = ("INPUT", "-i", "lo", "-p", "tcp", *flow, "-j", "DROP")
            as_root("iptables", "-w", "5", "-I", *rule)
            dropped.callback(as_root, "iptables", "-w", "5", "-D", *rule)
        yield
