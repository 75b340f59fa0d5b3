"""The documented calls, by the documented program."""

from __future__ import annotations

import json
import subprocess


def curl(port: int, path: str, body: dict[str, str]) -> str:
    """Posts JSON to a port of this machine; returns the answer's body."""
    header = ("-H", "Content-Type: application/json")
    url = f"http://localhost:{port}{path}"
    command = ["curl", "-s", "-X", "POST", *header, "-d", json.dumps(body), url]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=280).stdout
