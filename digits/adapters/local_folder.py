"""An artifact store in a folder of a local (or mounted) file system."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
import uuid
from pathlib import Path, PurePosixPath

from digits.adapters import content
from digits.adapters.full_disk import means_full
from digits.adapters.removal import folder_names, remove_folder
from digits.errors import AlreadyPublished, NotFound, StoreFull, StoreUnavailable


class LocalFolderStore:
    """Publishes by temporary file → fsync → check → hard link, which never replaces a name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def publish(self, name: str, data: bytes | Path) -> None:
        """See ArtifactStore."""
        target = self._path(name)
        temporary = target.parent / f".{target.name}.{uuid.uuid4().hex}"
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            _write(temporary, data)
            _link(temporary, target, name)
            _sync_folder(target.parent)
        except OSError as error:
            kind = StoreFull if means_full(error) else StoreUnavailable
            raise kind(f"the store cannot take {name}: {error.strerror}") from error
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink()

    def read(self, name: str) -> bytes:
        """See ArtifactStore."""
        try:
            return self._path(name).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise NotFound("artifact", name) from error
        except OSError as error:
            raise StoreUnavailable(f"the store cannot read {name}: {error.strerror}") from error

    def names(self, folder: str) -> list[str]:
        """See ArtifactStore."""
        found = self._list(folder)
        return [f"{folder}/{path.name}" for path in found if path.is_file() and not _is_temporary(path)]

    def folders(self, folder: str) -> list[str]:
        """See ArtifactStore."""
        return [f"{folder}/{name}" for name in folder_names(self._list(folder))]

    def delete(self, name: str) -> None:
        """See ArtifactStore."""
        path = self._path(name)
        try:
            if path.is_file():
                path.unlink(missing_ok=True)
            else:
                remove_folder(path)
        except OSError as error:
            raise StoreUnavailable(f"the store cannot delete {name}: {error.strerror}") from error

    def total_bytes(self) -> int:
        """See ArtifactStore."""
        total = 0
        for folder, _, names in os.walk(self._folder):
            for name in names:
                # A file may go while we look.
                with contextlib.suppress(OSError):
                    total += (Path(folder) / name).stat().st_size
        return total

    def delete_unfinished(self, folder: str, min_age_seconds: float) -> None:
        """See ArtifactStore."""
        latest = time.time() - min_age_seconds
        for path in filter(_is_temporary, self._list(folder)):
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime <= latest:
                    self.delete(f"{folder}/{path.name}")

    def _list(self, folder: str) -> list[Path]:
        try:
            return sorted(self._path(folder).iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise StoreUnavailable(f"the store cannot list {folder}: {error.strerror}") from error

    def _path(self, name: str) -> Path:
        pure = PurePosixPath(name)
        if not name or pure.is_absolute() or ".." in pure.parts:
            raise ValueError(f"not a store name: {name!r}")
        return self._folder / pure


def _is_temporary(path: Path) -> bool:
    return path.name.startswith(".")


def _write(path: Path, data: bytes | Path) -> None:
    with path.open("xb") as file, content.opened(data) as source:
        shutil.copyfileobj(source, file)
        file.flush()
        os.fsync(file.fileno())
    if content.digest(path) != content.digest(data):
        raise OSError(5, "what was written reads back differently")


def _link(temporary: Path, target: Path, name: str) -> None:
    try:
        os.link(temporary, target)
    except FileExistsError as error:
        raise AlreadyPublished(name) from error


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
