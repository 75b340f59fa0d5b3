"""The Flask application, put together."""

from __future__ import annotations

from flask import Flask

from digits.client.client import Client
from digits.client.connect import connect
from digits.security.tokens import Tokens
from digits.settings import Settings
from rest_bridge import (
    access,
    browsers,
    classifying,
    error_mapping,
    measures,
    models,
    page_files,
    parameters,
    probes,
    spooling,
    training,
)


def create_app(settings: Settings, client: Client | None = None) -> Flask:
    """Builds the WSGI application; it calls `settings.server` with the first request, not before."""
    app = Flask(__name__, static_folder=None)
    app.request_class = spooling.request_class(settings.var_dir / "incoming" / f"bridge-{settings.rest_port}")
    app.config["MAX_CONTENT_LENGTH"] = settings.max_upload_bytes
    app.extensions["digits"] = client or connect(settings)
    error_mapping.install(app)
    measures.install(app, settings)
    browsers.install(app, settings)
    access.install(app, Tokens(settings.tokens_file) if settings.tokens_file else None)
    parameters.install(app)
    for module in (classifying, training, models, probes, measures, page_files):
        app.register_blueprint(module.blueprint)
    return app
