"""A supervisor of the processes named on its command line: real servers, and small ones that misbehave."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from itertools import count

from rich.console import Console

from cli.failure import fail
from deploy.native.display import Display
from deploy.native.folder import StateFolder
from deploy.native.plan import own_ports, server_specs
from deploy.native.stacks.embedded import EmbeddedStack
from deploy.native.supervision.process_spec import ProcessSpec
from deploy.native.supervision.record import RunRecord
from deploy.native.supervision.supervisor import Supervisor
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
ONCE = f"""
import pathlib, sys
if pathlib.Path('NAME.was').exists():
    sys.exit(1)
pathlib.Path('NAME.was').touch()
{FOREVER}
"""
# Ten megabytes a second at most; every line has 1000 characters and its number.
TALKATIVE = """
import itertools, pathlib, time
pathlib.Path('NAME.on').touch()
for number in itertools.count():
    print(f'{number:09}', 'x' * 990, flush=True)
    time.sleep(0.0001)
"""


def python(name: str, code: str, folder: StateFolder, **more: object) -> ProcessSpec:
    """A process that is up once it has made the file NAME.on."""
    flag = folder.root / f"{name}.on"
    flag.unlink(missing_ok=True)
    command = (sys.executable, "-c", code.replace("NAME", name))
    return ProcessSpec(name, command, lambda _pid: flag.exists(), **more)  # type: ignore[arg-type]


def breaks_at_first(looks: Iterator[int]) -> Callable[[int], bool]:
    """A probe that raises what nobody foresaw before it says yes."""

    def probe(_pid: int) -> bool:
        if next(looks) < 3:
            raise ValueError("junk")
        return True

    return probe


def small_processes(folder: StateFolder, names: list[str]) -> list[ProcessSpec]:
    """The named ones, in that order."""
    made = {
        "plain": python("plain", FOREVER, folder),
        "family": python("family", FAMILY, folder),
        "deaf": python("deaf", DEAF + FOREVER, folder, grace_seconds=0.5),
        "very-deaf": python("very-deaf", DEAF + FOREVER, folder, grace_seconds=300),
        "logging-base": python("logging-base", LOG_ORDER, folder, stop_rank=1),
        "logging-caller": python("logging-caller", LOG_ORDER, folder, needs=("logging-base",)),
        "broken": python("broken", "print('no such thing as a teapot'); raise SystemExit(3)", folder),
        "talkative": python("talkative", TALKATIVE, folder),
        "badly-probed": ProcessSpec(
            "badly-probed", (sys.executable, "-c", "import signal; signal.pause()"), breaks_at_first(count())
        ),
        "comes-once": python("comes-once", ONCE, folder),
        "caller": python("caller", FOREVER, folder, needs=("comes-once",)),
        "silent": python("silent", "import signal; signal.pause()", folder),
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
        servers = [server for server in server_specs(stack, folder, ports) if server.name in names]
        chosen = servers + small_processes(folder, names)
        limit_seconds = 1.0 if "silent" in names else 60.0
        supervisor = Supervisor(chosen, folder, display, limit_seconds)
        serve(supervisor, folder, RunRecord(os.getpid(), False, {}, ports), lambda: display.line("ready"))


if __name__ == "__main__":
    try:
        main()
    except DigitsError as error:
        fail(error)
