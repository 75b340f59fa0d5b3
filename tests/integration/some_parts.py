"""A supervisor of the parts named on its command line: real servers, and small processes that misbehave."""

from __future__ import annotations

import os
import sys

from rich.console import Console

from cli.failure import fail
from deploy.native.display import Display
from deploy.native.embedded import EmbeddedStack
from deploy.native.folder import StateFolder
from deploy.native.part import Part
from deploy.native.probes import ZooKeeperProbe
from deploy.native.record import RunRecord
from deploy.native.stack import own_ports, parts, settled
from deploy.native.supervisor import Supervisor
from deploy.native.up import owned, serve
from digits.errors import DigitsError
from digits.settings import Settings

LOG_ORDER = """
import pathlib, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit())
pathlib.Path('NAME.on').touch()
try:
    signal.pause()
finally:
    with open('order', 'a') as order:
        print('NAME', file=order)
"""
DEAF = "import pathlib, signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
FOREVER = "import pathlib, signal; pathlib.Path('NAME.on').touch(); signal.pause()"
FAMILY = f"""
import subprocess, sys
subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'], start_new_session=True)
{FOREVER}
"""


def python_part(name: str, code: str, folder: StateFolder, **more: object) -> Part:
    """A part that is up once its process has made the file NAME.on."""
    flag = folder.root / f"{name}.on"
    flag.unlink(missing_ok=True)
    command = (sys.executable, "-c", code.replace("NAME", name))
    return Part(name, command, lambda _pid: flag.exists(), **more)  # type: ignore[arg-type]


def some_parts(folder: StateFolder, names: list[str]) -> list[Part]:
    """The named parts, in that order."""
    made = {
        "plain": python_part("plain", FOREVER, folder),
        "family": python_part("family", FAMILY, folder),
        "deaf": python_part("deaf", DEAF + FOREVER, folder, grace_seconds=0.5),
        "very-deaf": python_part("very-deaf", DEAF + FOREVER, folder, grace_seconds=300),
        "logging-base": python_part("logging-base", LOG_ORDER, folder, stop_rank=1),
        "logging-caller": python_part("logging-caller", LOG_ORDER, folder, needs=("logging-base",)),
        "broken": python_part("broken", "print('no such thing as a teapot'); raise SystemExit(3)", folder),
        "silent": python_part("silent", "import signal; signal.pause()", folder),
    }
    return [made[name] for name in names if name in made]


def main() -> None:
    """Supervises until a signal comes."""
    names, given = sys.argv[1:], Settings()
    folder, console = StateFolder.at(given.var_dir), Console()
    display = Display(console)
    with owned(folder, display):
        stack = EmbeddedStack()
        ports = own_ports(stack, given, folder)
        given = settled(stack, given, folder, ports)
        servers = parts(stack, given, folder, ports, ZooKeeperProbe(given.coordinator_url))
        chosen = [part for part in servers if part.name in names] + some_parts(folder, names)
        limit_seconds = 1.0 if "silent" in names else 60.0
        supervisor = Supervisor(chosen, folder, display, limit_seconds)
        serve(supervisor, folder, RunRecord(os.getpid(), False, {}, ports), lambda: display.line("ready"))


if __name__ == "__main__":
    try:
        main()
    except DigitsError as error:
        fail(error)
