"""What the master and the worker of a Spark cluster have in common: pyspark's own jars."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from deploy.native import private_files
from deploy.native.loopback import get_json
from deploy.native.servers import java
from deploy.native.servers.jvm import log4j2_to_console, small_server


def java_options(folder: Path) -> tuple[str, ...]:
    """The command up to the main class; writes its log's configuration below `folder`. Raises CannotStart."""
    return (*small_server(256, folder), log4j2_to_console(folder), "-cp", f"{java.spark_jars()}/*")


def security(folder: Path, secret: str) -> tuple[str, ...]:
    """The option of a master or a worker that talks only with who knows the secret, and encrypts that."""
    if not secret:
        return ()
    properties = {"authenticate": "true", "authenticate.secret": secret, "network.crypto.enabled": "true"}
    path = folder / "security.conf"
    private_files.write(path, "".join(f"spark.{name} {value}\n" for name, value in properties.items()))
    return ("--properties-file", str(path))


def master_state(web_port: int) -> Any:
    """What the master says of itself and of its workers, as JSON; None if it does not answer."""
    return get_json(f"http://127.0.0.1:{web_port}/json/")
