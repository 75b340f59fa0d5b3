"""All that is looked at, in the order of what keeps the service from starting."""

from __future__ import annotations

from deploy.native.doctor import certificates, data, machine, network, systems
from deploy.native.doctor.finding import Finding
from digits.settings import Settings


def examine(settings: Settings) -> list[Finding]:
    """Looks at this machine as `digits up` with these settings would find it; some seconds at most."""
    return [
        machine.packages(),
        machine.java(),
        machine.memory(),
        machine.disk(settings),
        *network.ports(settings),
        network.proxies(),
        *data.data(settings),
        *certificates.certificates(settings),
        *systems.systems(settings),
    ]
