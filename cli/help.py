"""A command whose help is whole, and whose usage errors are JSON if that is asked for."""

from __future__ import annotations

import sys
from typing import Any

# Typer has its own copy of click and exports no more of it; its version is pinned.
from typer._click.core import Context
from typer._click.exceptions import UsageError
from typer._click.formatting import HelpFormatter
from typer.core import TyperGroup

from cli.failure import complain, wants_json

NAMES = {"help_option_names": ["-h", "--help"]}


class WholeHelp(TyperGroup):
    """Commands with all that they say in their first paragraph: click would cut it to one line."""

    def format_commands(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Writes a paragraph a command."""
        rows = [(name, _first_paragraph(command.help or "")) for name, command in self.commands.items()]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


class Root(WholeHelp):
    """The outermost command."""

    def invoke(self, ctx: Context) -> Any:
        """Runs what was asked for; a wrong call is a document on stdout if JSON was asked for."""
        try:
            return super().invoke(ctx)
        except UsageError as error:
            if not wants_json():
                raise
            complain(error.format_message(), "USAGE")
            sys.exit(error.exit_code)


def _first_paragraph(text: str) -> str:
    return " ".join(text.strip().partition("\n\n")[0].split())
