"""Packages, Java, memory and disk."""

from __future__ import annotations

import shutil
from pathlib import Path

import psutil

from deploy.native import preflight
from deploy.native.doctor.finding import Finding, doubtful, fine, wrong
from deploy.native.errors import CannotStart
from deploy.native.servers.java import INSTALL, find_java, java_version
from digits.settings import Settings

# The newest that the service was run with.
MAX_TRIED_JAVA = 25
# The embedded service takes 2.1 GB while it trains with two cores; the real stack 2 GB more.
MIN_MEMORY_BYTES, GOOD_MEMORY_BYTES = 2 << 30, 4 << 30
# Jars, models and logs of some weeks.
MIN_DISK_BYTES, GOOD_DISK_BYTES = 1 << 30, 5 << 30


def packages() -> Finding:
    """Whether the packages that `digits up` needs are installed."""
    try:
        preflight.check_installed()
    except CannotStart as error:
        found, _, mend = str(error).partition("; install with: ")
        return wrong("packages", found, mend)
    return fine("packages", "all that `digits up` needs are installed")


def java() -> Finding:
    """Whether Spark and ZooKeeper find a Java that they can use."""
    try:
        path = find_java()
    except CannotStart as error:
        return wrong("Java", str(error).partition(": install")[0], INSTALL)
    version = java_version(path)
    if version > MAX_TRIED_JAVA:
        mend = "if Spark or ZooKeeper does not start: JAVA_HOME=FOLDER of a Java 17 or 21"
        return doubtful("Java", f"{path} is Java {version}, newer than what was tried", mend)
    return fine("Java", f"{path} is Java {version}")


def memory() -> Finding:
    """Whether a training fits into what is free now."""
    free = psutil.virtual_memory().available
    found = f"{_gib(free)} are free of {_gib(psutil.virtual_memory().total)}"
    if free >= GOOD_MEMORY_BYTES:
        return fine("memory", found)
    mend = "end what takes memory, or train less at a time: DIGITS_TRAINER_MEMORY_BYTES=1073741824"
    return (wrong if free < MIN_MEMORY_BYTES else doubtful)("memory", found, mend)


def disk(settings: Settings) -> Finding:
    """Whether there is room for state and logs."""
    folder = _existing(settings.var_dir.expanduser().resolve())
    free = shutil.disk_usage(folder).free
    found = f"{_gib(free)} are free for {settings.var_dir}"
    if free >= GOOD_DISK_BYTES:
        return fine("disk", found)
    mend = "make room there (digits models prune --keep 10), or set DIGITS_VAR_DIR to a folder with more"
    return (wrong if free < MIN_DISK_BYTES else doubtful)("disk", found, mend)


def _existing(folder: Path) -> Path:
    """The folder, or what is above it and there."""
    return next(each for each in (folder, *folder.parents) if each.exists())


def _gib(size: int) -> str:
    return f"{size / (1 << 30):.1f} GiB"
