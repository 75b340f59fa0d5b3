"""`digits up`, `digits down` and `digits status`: the service on this machine."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from cli.failure import CommandFailed, complain
from cli.options import AsJson, read_settings
from cli.output import print_json
from cli.table import print_table

if TYPE_CHECKING:
    from deploy.native.status import ServiceStatus

COLUMNS = ("PART", "VERSION", "HEALTH", "PID", "RESTARTS", "ADDRESS", "LOG")
START = "start the service with `digits up`, or name another folder with DIGITS_VAR_DIR"
SPARE = ("LOG", "VERSION", "RESTARTS", "PID", "ADDRESS")


class StackName(StrEnum):
    """What the service runs on."""

    EMBEDDED = "embedded"
    REAL = "real"


def up(
    detach: Annotated[bool, typer.Option("--detach", help="Return when it is ready; it runs on.")] = False,
    stack: Annotated[
        StackName,
        typer.Option(
            help="embedded: files, Valkey, Spark in-process; real: Kafka, HDFS, RabbitMQ, a Spark cluster."
        ),
    ] = StackName.EMBEDDED,
    as_json: AsJson = False,
) -> None:
    """Start the service and its servers: in the foreground, or with --detach in the background."""
    settings = read_settings()
    if detach:
        from deploy.native import detach as detached

        say = (lambda line: None) if as_json else (lambda line: print(line, flush=True))
        detached.detach(settings, stack.value, say)
        if as_json:
            _print_status(True)
        return
    from rich.console import Console

    from deploy.native.up import up as serve

    serve(settings, Console(stderr=as_json), stack.value)


def down(as_json: AsJson = False) -> None:
    """Stop the service and its servers, and wait until every process is gone."""
    from deploy.native.detach import down as stop

    settings = read_settings()
    ran = stop(settings)
    if as_json:
        print_json({"stopped": ran})
    else:
        print("stopped" if ran else f"nothing runs on {settings.var_dir}")


def status(as_json: AsJson = False) -> None:
    """Say what runs; the exit code is 0 if every part is up."""
    if not _print_status(as_json):
        raise CommandFailed("")


def _print_status(as_json: bool) -> bool:
    from deploy.native.status import service_status

    report = service_status(read_settings())
    if as_json:
        print_json(asdict(report))
    else:
        _print_report(report)
    return report.up


def _print_report(report: ServiceStatus) -> None:
    rows = [(p.name, p.version, p.health, p.pid or "", p.restarts, p.address, p.log) for p in report.parts]
    if report.pid or any(part.log for part in report.parts):
        print_table(COLUMNS, rows, SPARE)
    if not report.pid:
        ran = "nothing runs" if any(part.log for part in report.parts) else "nothing ever ran"
        complain(f"{ran} on {report.var_dir}: {START}")
        return
    serving = f"serving {report.serving_version}" if report.serving_version else "no model serves"
    if report.serving_problem:
        serving += f" ({report.serving_problem})"
    print(f"supervisor {report.pid}; {serving}; state in {report.var_dir}")
