"""The stacks by the name that `--stack` gives them."""

from __future__ import annotations

from deploy.native.folder import StateFolder
from deploy.native.stacks.embedded import EmbeddedStack
from deploy.native.stacks.real import RealStack
from deploy.native.stacks.stack import Stack

STACKS: dict[str, Stack] = {stack.name: stack for stack in (EmbeddedStack(), RealStack())}


def last(folder: StateFolder) -> Stack | None:
    """The stack that the folder was last started with; None before its first start."""
    try:
        return STACKS.get(folder.stack.read_text(encoding="utf-8").strip())
    except OSError:
        return None


def choose(name: str, folder: StateFolder) -> tuple[Stack, list[str]]:
    """The stack of that name, and what its user must know of the folder; the folder remembers it."""
    stack, before = STACKS[name], last(folder)
    folder.stack.write_text(f"{name}\n", encoding="utf-8")
    if before in (None, stack):
        return stack, []
    return stack, [f"this state folder was last started with --stack {before.name}: its models stay there"]
