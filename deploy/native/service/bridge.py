"""The REST bridge."""

from __future__ import annotations

import ssl

from deploy.native.loopback import get, listens
from deploy.native.service.addresses import rest_address, rest_url
from deploy.native.service.own_process import OwnProcess, drain_grace_seconds
from deploy.native.service.registry_reader import RegistryReader
from digits.settings import Settings

GUNICORN = ("gunicorn", "--config", "python:rest_bridge.gunicorn_conf", "rest_bridge.wsgi:app")


class Bridge(OwnProcess):
    """See OwnProcess."""

    name = "bridge"
    module = GUNICORN
    stop_rank = 0

    def grace_seconds(self, settings: Settings) -> float:
        """See OwnProcess."""
        return drain_grace_seconds(settings)

    def address(self, settings: Settings) -> str:
        """See OwnProcess."""
        return rest_url(settings)

    def answers(self, settings: Settings, registry: RegistryReader, pid: int) -> bool:
        """See bridge_answers."""
        return bridge_answers(settings)


def bridge_answers(settings: Settings) -> bool:
    """Whether the /healthz of the bridge on this machine is 200."""
    if not listens(rest_address(settings)):
        return False
    return get(f"{rest_url(settings)}/healthz", _own_tls(settings)) is not None


def _own_tls(settings: Settings) -> ssl.SSLContext | None:
    """For asking ourselves, which needs no proof of who answers; the other side may want our certificate."""
    if not settings.tls_certificate_file:
        return None
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if settings.client_certificate_file:
        context.load_cert_chain(settings.client_certificate_file, settings.client_key_file)
    return context
