"""`digits logs`: what the parts of the service wrote."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.failure import CommandFailed
from cli.options import read_settings
from cli.service import START


def logs(
    part: Annotated[
        str, typer.Argument(metavar="[PART]", help="One of the parts of `digits status`; all if left out.")
    ] = "",
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what is written, until Ctrl-C.")
    ] = False,
    lines: Annotated[
        int, typer.Option("--lines", "-n", min=0, metavar="N", help="Begin with the last N lines of each.")
    ] = 20,
) -> None:
    """Show the logs of the service on this machine."""
    from deploy.native.folder import StateFolder
    from deploy.native.log_reader import LogReader

    folder = StateFolder.at(read_settings().var_dir)
    parts = folder.logged_parts()
    if not parts:
        raise CommandFailed(f"nothing ever ran on {folder.root}, so there are no logs: {START}")
    if part and part not in parts:
        raise CommandFailed(f"no log of {part!r} in {folder.logs}; there are {', '.join(parts)}")
    reader = LogReader(folder, [part] if part else parts, lines)
    for name, line in reader.follow() if follow else reader.read():
        # Of one part, its lines as they are: they may be JSON for another program.
        print(line if part else f"{name:<15} {line}", flush=follow)
