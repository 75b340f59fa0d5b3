"""The Java of this machine, and the jars that pyspark's package brings along."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from deploy.native.errors import CannotStart

MIN_VERSION = 17
INSTALL = (
    "install a Java 17 or newer (Debian, Ubuntu: apt-get install openjdk-17-jre-headless; macOS: "
    "brew install openjdk@17), or point JAVA_HOME at one"
)


def find_java() -> str:
    """The Java that Spark takes: JAVA_HOME's, else PATH's. Raises CannotStart if it is missing or too old."""
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home, "bin", "java")) if home else shutil.which("java")
    if not java or not os.access(java, os.X_OK):
        place = f"in JAVA_HOME={home}" if home else "on PATH"
        raise CannotStart(f"no Java {place}: {INSTALL}")
    version = java_version(java)
    if version < MIN_VERSION:
        raise CannotStart(f"{java} is Java {version or 'of an unknown version'}, too old: {INSTALL}")
    return java


def spark_jars() -> Path:
    """The folder of pyspark's jars; pyspark itself takes a second to import."""
    spec = find_spec("pyspark")
    if spec is None or spec.origin is None:
        raise CannotStart("not installed: pyspark; install with: pip install 'digitservice[train]'")
    return Path(spec.origin).with_name("jars")


def java_version(java: str) -> int:
    """The major version; 0 if it cannot be told. "1.8.0" is Java 8."""
    try:
        answer = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = re.search(r'version "(?:1\.)?(\d+)', answer.stderr)
    return int(found[1]) if found else 0
