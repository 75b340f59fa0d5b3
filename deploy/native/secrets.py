"""What a stack's servers and the service's processes share: made anew at each start, in files of one user.

A process is given the folder's name (DIGITS_SECRETS_DIR), so that no secret is in a command or an environment
that another program writes down.
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
from collections.abc import Iterable

from pydantic import SecretStr

from deploy.native import private_files
from deploy.native.folder import StateFolder
from digits.settings import Settings

_BYTES = 32


def make(folder: StateFolder, names: Iterable[str]) -> dict[str, str]:
    """A random secret for each name, kept until the next start; raises OSError."""
    shutil.rmtree(folder.secrets)
    private_files.make_folder(folder.secrets)
    made = {name: secrets.token_urlsafe(_BYTES) for name in names}
    for name, secret in made.items():
        private_files.write(folder.secrets / name, secret)
    return made


def read(folder: StateFolder, names: Iterable[str]) -> dict[str, str]:
    """The secrets of a running service, as far as they are there."""
    found: dict[str, str] = {}
    for name in names:
        with contextlib.suppress(OSError):
            found[name] = (folder.secrets / name).read_text(encoding="utf-8")
    return found


def hand_on(folder: StateFolder, settings: Settings) -> None:
    """Writes each secret setting to the file where a process that is given the folder looks for it."""
    for name in settings.model_fields_set:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            private_files.write(folder.secrets / f"digits_{name}", value.get_secret_value())
