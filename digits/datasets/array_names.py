"""What an array, a column or a file is, by its name: people and frameworks have their own for each."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

TRAIN, TEST, VALIDATION = "train", "test", "val"
IMAGES, LABELS = "images", "labels"

Role = tuple[str, str]

_KINDS = {
    IMAGES: ("x", "images", "image", "imgs", "data", "pixels", "features"),
    LABELS: ("y", "t", "labels", "label", "target", "targets", "digit", "class"),
}
_PARTS = {
    TRAIN: ("train", "training", "tr"),
    TEST: ("test", "testing"),
    VALIDATION: ("val", "valid", "validation", "dev"),
}

_OF_FILES = {TEST: ("test", "testing"), VALIDATION: ("val", "valid", "validation")}


@dataclass(frozen=True)
class Roles:
    """Which array has which role, those that might have the same, and those that nobody knows."""

    by_role: dict[Role, str] = field(default_factory=dict)
    rivals: list[tuple[str, str]] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def roles_of(names: Iterable[str]) -> Roles:
    """Finds the images and labels to train on, test on and validate with: x_train, X, data, …"""
    roles = Roles()
    for name in sorted(names):
        role = _role(name)
        if role is None:
            roles.unknown.append(name)
        elif role in roles.by_role:
            roles.rivals.append((roles.by_role[role], name))
        else:
            roles.by_role[role] = name
    return roles


def usual_name(role: Role) -> str:
    """What the array of a role is called here, such as x_train."""
    part, kind = role
    return f"{'x' if kind == IMAGES else 'y'}_{part}"


def known_names(kind: str) -> tuple[str, ...]:
    """What images, or labels, are called."""
    return _KINDS[kind]


def part_of(file_name: str) -> str:
    """What the images of a file are for, by its name alone: test-00000-of-00001.parquet, t10k.csv."""
    if "t10k" in re.split(r"[_\-. ]+", file_name.lower()):
        return TEST
    words = re.split(r"[_\-. \d]+", file_name.lower())
    return next((part for part, known in _OF_FILES.items() for word in words if word in known), TRAIN)


def _role(name: str) -> Role | None:
    words = re.split(r"[_\-. ]+", re.sub(r"^([xyXY])(?=train|test|val)", r"\1_", name).lower())
    kinds = [kind for kind, known in _KINDS.items() for word in words if word in known]
    parts = [part for part, known in _PARTS.items() for word in words if word in known]
    if len(kinds) != 1 or len(parts) > 1 or len(kinds) + len(parts) != len(words):
        return None
    return (parts[0] if parts else TRAIN), kinds[0]
