"""What gunicorn loads."""

from __future__ import annotations

import subprocess
import sys

LOADED = "import sys, rest_bridge.wsgi; print(*{name.split('.')[0] for name in sys.modules})"
NEVER = {"tensorflow", "keras", "pyspark", "celery", "kazoo", "onnxruntime", "onnx", "server", "workers"}


def test_the_bridge_loads_neither_models_nor_queues_nor_the_coordinator() -> None:
    loaded = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    assert "flask" in loaded.stdout.split()
    assert not NEVER & set(loaded.stdout.split())
