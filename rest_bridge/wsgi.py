"""The WSGI application. Gunicorn's settings for it are in rest_bridge/gunicorn_conf.py."""

from __future__ import annotations

import sys

from digits.errors import Misconfigured
from digits.settings import Settings
from digits.signals import traces
from rest_bridge.app import create_app

settings = Settings()
try:
    traces.configure(settings, "bridge")
except Misconfigured as error:
    sys.exit(f"bridge: {error}")
app = create_app(settings)
