"""Runs the real stack's servers without the service: `python -m tests.containers.servers FOLDER`.

Prints the settings that name them, as JSON on one line, once all are usable; SIGTERM ends them.
"""

from __future__ import annotations

import json
import sys
from contextlib import closing
from pathlib import Path

from rich.console import Console

from deploy.native.display import Display
from deploy.native.folder import StateFolder
from deploy.native.probes import ZooKeeperProbe
from deploy.native.real import RealStack
from deploy.native.stack import own_ports
from deploy.native.supervisor import Supervisor
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
        addresses = {name: str(url) for name, url in stack.addresses(ports).items() if name.endswith("_url")}
        with closing(ZooKeeperProbe(addresses["coordinator_url"])) as zookeeper:
            answers = {"zookeeper": zookeeper.answers, **stack.probes(ports)}
            supervisor = Supervisor(stack.servers(stack.data(folder), ports, answers), folder, display)
            supervisor.run(lambda: print(json.dumps(addresses), flush=True), lambda: None)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
