"""The real servers that the settings name: each is asked for something with the credentials that we have."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from functools import partial
from urllib.parse import urlsplit

from kombu.exceptions import OperationalError

from deploy.native.doctor.finding import Finding, fine, wrong
from deploy.native.loopback import listens
from digits import bootstrap
from digits.adapters.celery_queue import app_of
from digits.errors import DigitsError, NotFound, Unavailable
from digits.settings import Settings

_BROKER_SECONDS = 3.0
# If an address says none.
_ZOOKEEPER_PORT = 2181
_INSTEAD = {"batches_url": "batches are read from the data folder"}


def systems(settings: Settings) -> list[Finding]:
    """One finding for each; those that `digits up` starts itself are not looked for."""
    return [
        _asked(setting, getattr(settings, setting), partial(ask, settings))
        for setting, ask in _QUESTIONS.items()
        if setting in settings.model_fields_set and getattr(settings, setting)
    ]


def _asked(setting: str, url: str, ask: Callable[[], object]) -> Finding:
    variable = f"DIGITS_{setting.upper()}"
    try:
        shown = _without_password(url)
        ask()
    except ValueError as error:
        return wrong(setting, str(error), f"{variable}={bootstrap.FORMS[setting]}, with your host and port")
    except (DigitsError, OperationalError, OSError) as error:
        said = " ".join(str(error).split())[:200]
        instead = _INSTEAD.get(setting, "`digits up` starts its own")
        return wrong(setting, f"{shown}: {said}", f"start it, or unset {variable}: {instead}")
    return fine(setting, f"{shown} answers")


def _store(settings: Settings) -> None:
    bootstrap.store(settings).names("models")


def _batches(settings: Settings) -> None:
    elsewhere = bootstrap.batches(settings).elsewhere
    if elsewhere and elsewhere.files.find(elsewhere.root, "batches_url") is None:
        raise NotFound("folder", elsewhere.root)


def _log(settings: Settings) -> None:
    bootstrap.log(settings).jobs()


def _coordinator(settings: Settings) -> None:
    addresses = bootstrap.coordinator_addresses(settings)
    if not any(map(listens, map(_with_port, addresses))):
        raise Unavailable("nothing listens there")
    with closing(bootstrap.coordinator(settings)) as coordinator:
        coordinator.get("/serving")


def _with_port(address: str) -> str:
    return address if address.rpartition(":")[2].isdecimal() else f"{address}:{_ZOOKEEPER_PORT}"


def _broker(settings: Settings) -> None:
    bootstrap.require_broker(settings)
    with app_of(settings).connection(connect_timeout=_BROKER_SECONDS) as connection:
        connection.ensure_connection(
            max_retries=1, interval_start=0, interval_step=0, timeout=_BROKER_SECONDS
        )


def _spark(settings: Settings) -> None:
    addresses = bootstrap.spark_addresses(settings)
    if addresses and not any(map(listens, addresses)):
        raise Unavailable("nothing listens there")


_QUESTIONS: dict[str, Callable[[Settings], None]] = {
    "store_url": _store,
    "batches_url": _batches,
    "log_url": _log,
    "coordinator_url": _coordinator,
    "broker_url": _broker,
    "spark_master": _spark,
}


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return url.replace(f"{parts.netloc.rpartition('@')[0]}@", "") if "@" in parts.netloc else url
