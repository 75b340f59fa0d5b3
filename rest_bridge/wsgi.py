"""The WSGI application. Gunicorn's settings for it are in rest_bridge/gunicorn_conf.py."""

from __future__ import annotations

from digits.settings import Settings
from rest_bridge.app import create_app

app = create_app(Settings())
