"""Images as every test here wants them: built from this checkout. Needs root; docs/containers.md says why."""

from __future__ import annotations

import os
from collections.abc import Mapping

import pytest

from deploy.containers import build
from tests.conftest import missing


@pytest.fixture(scope="session")
def images() -> Mapping[str, str]:
    """The name of each image by its stage of the Dockerfile; says how long each build took."""
    if build.missing_tools() or os.geteuid():
        missing(f"root and {', '.join(build.TOOLS)} (apt-get install --no-install-recommends)")
    build.build_all()
    return build.IMAGES
