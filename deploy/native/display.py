"""What `digits up` shows: a line a process, then one block that says how to use the service."""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.status import Status

from deploy.native.folder import StateFolder
from deploy.native.service.addresses import rest_url
from deploy.native.supervision.process_spec import ProcessSpec
from digits.settings import Settings


class Display:
    """Writes to a console: lines everywhere, and a spinner beneath them on a terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status: Status | None = None

    def line(self, text: str) -> None:
        """One line of rich markup."""
        # The terminal may be gone (SIGHUP); stopping must go on.
        with contextlib.suppress(OSError):
            self._console.print(text, highlight=False, soft_wrap=True)

    def starting(self, names: Sequence[str]) -> None:
        """Shows what is awaited; nothing if this is no terminal."""
        if not self._console.is_terminal:
            return
        if not names:
            self._quiet()
        elif self._status is None:
            self._status = self._console.status(f"starting {', '.join(names)}")
            self._status.start()
        else:
            self._status.update(f"starting {', '.join(names)}")

    def up(self, spec: ProcessSpec, seconds: float) -> None:
        """One line: the process is up."""
        self.line(f"[green]up[/]    {spec.name:<16}{seconds:5.1f} s  {escape(spec.address)}".rstrip())

    def died(self, spec: ProcessSpec, reason: str, wait_seconds: float) -> None:
        """One line: the process died and comes back."""
        self.line(f"[red]died[/]  {spec.name} {reason}; starting it again in {wait_seconds:.1f} s")

    def unrecorded(self, reason: str) -> None:
        """One line: `digits status` will not know what runs."""
        self.line(f"[red]cannot record what runs[/] ({reason}): `digits status` is right again once it can")

    def stopping(self) -> None:
        """One line: everything is being stopped."""
        self._quiet()
        self.line("stopping (Ctrl-C again kills at once)")

    def stopped(self, seconds: float) -> None:
        """One line: everything is gone."""
        self.line(f"stopped in {seconds:.1f} s")

    def ready(self, settings: Settings, folder: StateFolder, seconds: float) -> None:
        """The block that says where the service is and what to try."""
        self._quiet()
        self.line(ready_block(settings, folder, seconds))

    def _quiet(self) -> None:
        if self._status:
            with contextlib.suppress(OSError):
                self._status.stop()
            self._status = None


def ready_block(settings: Settings, folder: StateFolder, seconds: float) -> str:
    """Addresses, logs, and the commands to try, as rich markup."""
    rest, address = rest_url(settings), settings.server
    header = f'{_security(settings)}-X POST -H "Content-Type: application/json" -d'
    line = _security(settings) if settings.tls_certificate_file else f"{_security(settings)}-plaintext "
    train, classify = '{"images_batch_path": "mnist.npz"}', '{"image_path": "test/data/n5.png"}'
    method = "digits.v1.DigitService/Train"
    lines = [
        "",
        f"[bold green]DigitService is ready[/] after {seconds:.1f} s",
        f"  gRPC   {escape(address)}",
        f"  REST   {escape(rest)}",
        f"  data   {escape(str(settings.data_dir))}",
        f"  logs   {escape(str(folder.logs))}",
        f"  signals {escape(rest)}/metrics, and those of {escape(str(folder.metrics_targets))}",
        "try",
        escape(f"  {digits_command()} train mnist.npz"),
        escape(f"  curl {header} '{train}' {rest}/digits/train"),
        escape(f"  curl {header} '{classify}' {rest}/digits/classify"),
        escape(f"  grpcurl {line}-d '{train}' {address} {method}"),
        "stop",
        escape(f"  `{digits_command()} down` with the same DIGITS_VAR_DIR, or Ctrl-C if this waits"),
        "",
    ]
    return "\n".join(lines)


def _security(settings: Settings) -> str:
    """What curl and grpcurl must be told beside the call itself."""
    authority = settings.server_ca_file or settings.tls_certificate_file
    trust = f"--cacert {authority} " if settings.tls_certificate_file else ""
    return trust + ('-H "Authorization: Bearer $DIGITS_TOKEN" ' if settings.tokens_file else "")


def digits_command() -> str:
    """How to type `digits` here: the environment is not on the PATH of a newcomer's shell."""
    if shutil.which("digits"):
        return "digits"
    own = Path(sys.executable).with_name("digits")
    return str(own.relative_to(Path.cwd()) if own.is_relative_to(Path.cwd()) else own)
