"""The pinned jars that no wheel carries: `python -m deploy.native.downloads.jars NAME...` fetches them.

jars.lock has a line a jar: the folder it belongs to, organisation:artifact:revision, and its SHA-256.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from deploy.native.downloads import maven
from deploy.native.errors import CannotFetch, CannotStart

LOCK = Path(__file__).with_name("jars.lock")

Fetch = Callable[[Mapping[str, str], Path], None]
"""Puts jars, with their SHA-256 by their coordinates, into a folder; raises CannotFetch."""


def folder(name: str) -> Path:
    """The folder of exactly the pinned jars of "kafka", "hdfs" or "spark-kafka"; fetched if missing.

    Every jar's checksum is checked each time (0.3 s for 100 MB). Raises CannotStart with one sentence.
    """
    return complete(name, pinned(LOCK, name), cache(), maven.fetch)


def cache() -> Path:
    """Where the jars are kept: DIGITS_JARS_DIR, else below the user's cache folder."""
    given = os.environ.get("DIGITS_JARS_DIR")
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser(), "digitservice", "jars")
    return Path(given).expanduser().resolve() if given else base


def pinned(lock: Path, name: str) -> dict[str, str]:
    """SHA-256 of each jar by its coordinates; raises CannotStart for a name the lock does not have."""
    rows = [line.split() for line in lock.read_text(encoding="utf-8").splitlines()]
    found = {coordinates: checksum for owner, coordinates, checksum in rows if owner == name}
    if not found:
        names = ", ".join(sorted({owner for owner, _, _ in rows}))
        raise CannotStart(f"no jars are pinned for {name!r}: choose from {names}")
    return found


def pinned_version(name: str, artifact: str) -> str:
    """The version of an artifact among the pinned jars of "kafka", "hdfs" or "spark-kafka"."""
    pairs = (coordinates.split(":")[1:] for coordinates in pinned(LOCK, name))
    return next(revision for candidate, revision in pairs if candidate == artifact)


def complete(name: str, jars: Mapping[str, str], base: Path, fetch: Fetch) -> Path:
    """`base`/`name` with exactly these jars: it appears whole or not at all, fetched by one process."""
    target = base / name
    if not faults(target, jars):
        return target
    try:
        base.mkdir(parents=True, exist_ok=True)
        with _alone(base / f".{name}.lock"):
            if faults(target, jars):
                _replace(target, jars, fetch)
    except OSError as error:
        raise CannotStart(
            f"cannot write {base} ({error.strerror}): free it, or set DIGITS_JARS_DIR to another folder"
        ) from error
    return target


def faults(target: Path, jars: Mapping[str, str]) -> list[str]:
    """What keeps the folder from being exactly these jars; empty when nothing does."""
    wanted = {maven.file_name(coordinates): checksum for coordinates, checksum in jars.items()}
    there = {path.name for path in target.glob("*.jar")}
    wrong = [name for name in sorted(there & set(wanted)) if _sha256(target / name) != wanted[name]]
    return [
        *(f"{name} is missing" for name in sorted(set(wanted) - there)),
        *(f"{name} is not pinned" for name in sorted(there - set(wanted))),
        *(f"{name} has a wrong checksum" for name in wrong),
    ]


def _replace(target: Path, jars: Mapping[str, str], fetch: Fetch) -> None:
    print(f"fetching {len(jars)} jars of {target.name} into {target}", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as work:
        draft, old = Path(work, "jars"), Path(work, "old")
        draft.mkdir()
        try:
            fetch(jars, draft)
        except CannotFetch as error:
            raise CannotStart(_unreachable(target, error)) from error
        found = faults(draft, jars)
        if found:
            raise CannotStart(f"the jars of {target.name} are not the pinned ones: {'; '.join(found[:3])}")
        if target.exists():
            target.replace(old)
        draft.replace(target)


def _unreachable(target: Path, error: CannotFetch) -> str:
    return (
        f"cannot fetch the jars of {target.name} ({error}): set HTTPS_PROXY or DIGITS_MAVEN_URL (a mirror), "
        f"or put the jars that {LOCK} names into {target} (DIGITS_JARS_DIR/{target.name})"
    )


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Waits until no other process fetches; the system lets go of the lock however the process ends."""
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    try:
        for chosen in sys.argv[1:]:
            print(folder(chosen))
    except CannotStart as failure:
        sys.exit(f"digits: {failure}")
