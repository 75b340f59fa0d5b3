"""Runs the real stack's servers without the service: `python -m tests.containers.servers FOLDER`.

Prints the settings that name them, as JSON on one line, once all are usable; SIGTERM ends them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from rich.console import Console

from deploy.native.display import Display
from deploy.native.folder import StateFolder
from deploy.native.plan import own_ports, server_specs
from deploy.native.stacks.real import RealStack
from deploy.native.stacks.stack import addresses
from deploy.native.supervision.supervisor import Supervisor
from deploy.native.up import owned
from digits.settings import Settings

# An executor runs the driver's Python, by its path: a driver in a container needs its workers in one too.
ELSEWHERE = "spark://in-a-container:7077"


def main(var_dir: Path) -> None:
    """Serves until a signal."""
    folder, display = StateFolder.at(var_dir), Display(Console(stderr=True))
    with owned(folder, display):
        stack = RealStack()
        ports = own_ports(stack, Settings(spark_master=ELSEWHERE), folder)
        urls = {name: str(url) for name, url in addresses(stack, ports).items() if name.endswith("_url")}
        supervisor = Supervisor(server_specs(stack, folder, ports), folder, display)
        supervisor.run(lambda: print(json.dumps(urls), flush=True), lambda: None)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
