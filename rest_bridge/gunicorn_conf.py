"""What gunicorn reads: `gunicorn --config python:rest_bridge.gunicorn_conf rest_bridge.wsgi:app`.

One process, since the bridge holds no state and its work is waiting; a train call or an event stream
holds its thread until the job is final. Certificates are read anew for each connection.
"""

from __future__ import annotations

import math
import ssl
import sys

from digits.errors import Misconfigured
from digits.security import listener_policy
from digits.settings import Settings

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

if _settings.tls_certificate_file:
    certfile = str(_settings.tls_certificate_file)
    keyfile = str(_settings.tls_key_file)
if _settings.tls_client_ca_file:
    ca_certs = str(_settings.tls_client_ca_file)
    cert_reqs = ssl.CERT_REQUIRED
