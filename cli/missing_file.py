"""What somebody may have meant who named a file that is not there."""

from __future__ import annotations

from pathlib import Path

from cli.options import read_settings


def advice(file: Path, error: OSError) -> str:
    """The end of a sentence about a file that cannot be read: "; did you mean …?", or nothing."""
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        return ""
    meant = _meant(file)
    return f"; did you mean {str(meant)!r}?" if meant else ""


def _meant(file: Path) -> Path | None:
    """The same path below the data folder, as in requests, or one that is spelt alike."""
    from digits.datasets.nearby import nearby

    for folder in (read_settings().data_dir, Path()):
        if not file.is_absolute() and (found := nearby(folder, str(file))):
            return folder / found
    found = nearby(file.parent, file.name)
    return file.parent / found if found else None
