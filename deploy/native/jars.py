"""The pinned jars of the servers that no wheel carries: `python -m deploy.native.jars NAME...` fetches them.

jars.lock has a line a jar: the folder it belongs to, organisation:artifact:revision, and its SHA-256.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from deploy.native import ivy
from deploy.native.errors import CannotFetch, CannotStart

LOCK = Path(__file__).with_name("jars.lock")

Fetch = Callable[[Sequence[str], Path, Path], None]


def folder(name: str) -> Path:
    """The folder of exactly the pinned jars of "kafka", "hdfs" or "spark-kafka"; fetched where missing.

    Every jar's checksum is checked each time (0.3 s for 100 MB). Raises CannotStart with one sentence.
    """
    return complete(name, pinned(LOCK, name), cache(), ivy.fetch)


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
    """What keeps the folder from being exactly these jars; empty where nothing does."""
    wanted = {file_name(coordinates): checksum for coordinates, checksum in jars.items()}
    there = {path.name for path in target.glob("*.jar")}
    wrong = [name for name in sorted(there & set(wanted)) if _sha256(target / name) != wanted[name]]
    return [
        *(f"{name} is missing" for name in sorted(set(wanted) - there)),
        *(f"{name} is not pinned" for name in sorted(there - set(wanted))),
        *(f"{name} has a wrong checksum" for name in wrong),
    ]


def file_name(coordinates: str) -> str:
    """The jar's file name."""
    _, artifact, revision = coordinates.split(":")
    return f"{artifact}-{revision}.jar"


def _replace(target: Path, jars: Mapping[str, str], fetch: Fetch) -> None:
    print(f"fetching {len(jars)} jars of {target.name} into {target}", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as work:
        draft, old = Path(work, "jars"), Path(work, "old")
        draft.mkdir()
        try:
            fetch(list(jars), draft, target.parent / f"{target.name}.log")
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
