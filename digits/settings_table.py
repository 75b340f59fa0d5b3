"""The table of every setting in docs/operations.md: `python -m digits.settings_table docs/operations.md`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from digits.settings import Settings

BEGIN, END = "<!-- settings: written by make docs -->\n", "<!-- end of settings -->"


def table() -> str:
    """A Markdown table: variable, default, meaning."""
    rows = [_row(f"DIGITS_{name.upper()}", field) for name, field in Settings.model_fields.items()]
    return "\n".join(["| variable | default | |", "|---|---|---|", *rows, ""])


def with_table(page: str) -> str:
    """The page with the table as it is now; raises ValueError if it has no place for it."""
    before, _, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"no {BEGIN.strip()} … {END}")
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def _row(variable: str, field: FieldInfo) -> str:
    choices = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
    allowed = f" One of {', '.join(choices)}." if choices else ""
    return f"| `{variable}` | {_default(field)} | {field.description}{allowed} |"


def _default(field: FieldInfo) -> str:
    value = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default
    return "" if value in ("", None) else f"`{value}`"


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(with_table(path.read_text(encoding="utf-8")), encoding="utf-8")
