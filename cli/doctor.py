"""`digits doctor`."""

from __future__ import annotations

from dataclasses import asdict

from cli.failure import CommandFailed
from cli.options import AsJson, read_settings
from cli.output import print_json


def doctor(as_json: AsJson = False) -> None:
    """Say what on this machine keeps the service from working, and the line that mends it; the exit code is
    1 if something is wrong."""
    from deploy.native.doctor.examination import examine
    from deploy.native.doctor.finding import Health

    findings = examine(read_settings())
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            print(f"{finding.health:<8}  {finding.subject}: {finding.found}")
            if finding.mend:
                print(f"{'':8}  mend it: {finding.mend}")
    if any(finding.health is Health.WRONG for finding in findings):
        raise CommandFailed("")
