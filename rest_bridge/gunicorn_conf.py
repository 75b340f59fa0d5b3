"""What gunicorn reads: `gunicorn --config python:rest_bridge.gunicorn_conf rest_bridge.wsgi:app`.

One process, since the bridge holds no state and its work is waiting; a train call or an event stream
holds its thread until the job is final. With `--workers N` there are more: they keep their metrics in files
of one folder, so that whichever is asked answers for all. Certificates are read anew for each connection.
"""

from __future__ import annotations

import math
import os
import shutil
import ssl
import sys
from typing import Any

from digits.errors import Misconfigured
from digits.security import listener_policy
from digits.settings import Settings
from digits.signals import logs

_settings = Settings()
try:
    listener_policy.check(_settings, "rest_host")
except Misconfigured as error:
    sys.exit(f"bridge: {error}")

bind = f"{_settings.rest_host}:{_settings.rest_port}"
workers = 1
threads = 64
graceful_timeout = max(1, math.ceil(_settings.drain_seconds))
control_socket_disable = True
logconfig_dict = logs.configuration(_settings)

# Before anything imports prometheus_client, which looks at it then.
_metrics = _settings.var_dir.resolve() / "metrics" / f"bridge-{_settings.rest_port}"
os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(_metrics)


def on_starting(server: Any) -> None:
    """Puts away what an earlier bridge measured, before the first worker starts."""
    shutil.rmtree(_metrics, ignore_errors=True)
    _metrics.mkdir(parents=True)


def child_exit(server: Any, worker: Any) -> None:
    """What a worker that ended had counted still counts; what it had as a gauge does not."""
    # Its import reads the variable.
    from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415

    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


if _settings.tls_certificate_file:
    certfile = str(_settings.tls_certificate_file)
    keyfile = str(_settings.tls_key_file)
if _settings.tls_client_ca_file:
    ca_certs = str(_settings.tls_client_ca_file)
    cert_reqs = ssl.CERT_REQUIRED
