"""What gunicorn loads: `gunicorn rest_bridge.wsgi:app`.

A train call or an event stream holds its thread until the job is final, so that workers want threads:
`--worker-class gthread --threads 32`. Gunicorn's timeout does not end a request of such a worker.
"""

from __future__ import annotations

from digits.settings import Settings
from rest_bridge.app import create_app

app = create_app(Settings())
