"""Finds the files of a batch: an npz, CSV or Parquet file, or a folder of these or of IDX files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from digits.datasets.batch_files import BatchFiles
from digits.datasets.csv_file import looks_like_csv, read_csv
from digits.datasets.files import MAX_FILES, BatchFolder
from digits.datasets.findings import IDX, PICTURES, are_pictures
from digits.datasets.idx import IdxName, read_idx
from digits.datasets.intake import Intake
from digits.datasets.matching import Batch, Matching
from digits.datasets.npz import read_npz
from digits.datasets.parquet_files.batch import read_parquet
from digits.datasets.shards import reading
from digits.datasets.source import Source
from digits.errors import InvalidInput

# What other systems leave in folders and archives.
_CLUTTER = ("__MACOSX", "Thumbs.db", "desktop.ini")
# The first bytes of a Parquet file, encrypted or not.
_PARQUET = (b"PAR1", b"PARE")
_PARQUET_NAMES = (".parquet", ".pq")

Files = dict[str, Source]
Take = Callable[[Files, Intake], Files]


def take_files(batch: Batch, intake: Intake) -> BatchFiles:
    """Hands what a batch holds to the intake, and returns the files that it will be read from.

    Raises InvalidInput for a folder, or files of one, that are no batch.
    """
    if isinstance(batch, Matching):
        return _take_matching(batch, intake)
    if isinstance(batch, BatchFolder):
        return _take_folder(batch, intake)
    files = BatchFiles.seen([batch], intake.field)
    take_file(Source(batch, batch.name, intake.field), intake)
    return files


def take_file(source: Source, intake: Intake) -> None:
    """Hands what one file holds to the intake; raises InvalidInput if it cannot be read."""
    head = source.head(4)
    if head.startswith(b"\0\0\x08"):
        intake.findings.right = IDX
        intake.findings.fault(f"{source.name} is one IDX file: name the folder that holds it with its labels")
    elif head in _PARQUET or _is_named(source.name, *_PARQUET_NAMES):
        read_parquet([source], intake)
    elif _is_csv(source):
        read_csv(source, intake)
    else:
        read_npz(source, intake)


def _is_csv(source: Source) -> bool:
    if source.name.lower().endswith((".csv", ".csv.gz")):
        return True
    with reading(source.name, source.field), source.unpacked() as stream:
        return looks_like_csv(stream.read(8192))


def _take_folder(folder: BatchFolder, intake: Intake) -> BatchFiles:
    files, folders = _listed(folder, intake.field)
    take = _reader_of(files)
    if take is None and (below := _raw(folders, intake.field)):
        name, files = below
        take = _reader_of(files)
        del folders[name]
        intake.findings.note(f"{name}/", "the batch is in this folder below")
    if take is None:
        held = ", ".join(sorted([*files, *(f"{name}/" for name in folders)])[:8]) or "nothing"
        problem = f"is a folder that holds no .npz, .csv or .parquet files nor MNIST's IDX files, but {held}"
        raise InvalidInput(intake.field, f"{problem}{_of_pictures(files, folders)}")
    return _taken(take, files, [f"{name}/" for name in folders], intake)


def _of_pictures(files: Iterable[str], folders: Iterable[str]) -> str:
    """How pictures in a folder become a batch, if these are some."""
    sorted_by_digit = any(len(name) == 1 and name.isdecimal() for name in folders)
    return f". Right is: {PICTURES}" if sorted_by_digit or are_pictures(files) else ""


def _take_matching(source: Matching, intake: Intake) -> BatchFiles:
    there, _ = _listed(source.folder, intake.field)
    files = {name: file for name, file in there.items() if source.fits(name)}
    take = _reader_of(files)
    if take is None:
        kinds = "" if not files else " that is .npz, .csv, .parquet or one of MNIST's IDX files"
        held = ", ".join(sorted(there)[:8]) or "nothing"
        problem = f"no file{kinds} has a name like {source.pattern!r}; the folder holds {held}"
        raise InvalidInput(intake.field, problem)
    return _taken(take, files, [], intake)


def _taken(take: Take, files: Files, others: list[str], intake: Intake) -> BatchFiles:
    """Reads the files that are of one kind, and says that the others are not used."""
    seen = BatchFiles.seen((file.content for file in files.values()), intake.field)
    used = take(files, intake)
    intake.findings.unused(sorted([*(name for name in files if name not in used), *others]))
    return seen.among({file.content for file in used.values()})


def _reader_of(files: Files) -> Take | None:
    """How the files are read: one kind of them alone is the batch."""
    if any(IdxName.of(name) for name in files):
        return _take_idx
    if any(_is_named(name, ".npz") for name in files):
        return _take_npz
    if any(_is_named(name, ".csv", ".csv.gz") for name in files):
        return _take_csv
    if any(_is_named(name, *_PARQUET_NAMES) for name in files):
        return _take_parquet
    return None


def _take_idx(files: Files, intake: Intake) -> Files:
    used = {name: file for name, file in files.items() if IdxName.of(name)}
    read_idx(used, intake)
    return used


def _take_npz(files: Files, intake: Intake) -> Files:
    used = {name: files[name] for name in sorted(files) if _is_named(name, ".npz")}
    for file in used.values():
        read_npz(file, intake)
    return used


def _take_csv(files: Files, intake: Intake) -> Files:
    used = {name: files[name] for name in sorted(files) if _is_named(name, ".csv", ".csv.gz")}
    for file in used.values():
        read_csv(file, intake)
    return used


def _take_parquet(files: Files, intake: Intake) -> Files:
    used = {name: files[name] for name in sorted(files) if _is_named(name, *_PARQUET_NAMES)}
    read_parquet(used.values(), intake)
    return used


def _is_named(name: str, *suffixes: str) -> bool:
    return name.lower().endswith(suffixes)


def _raw(folders: Mapping[str, BatchFolder], field: str) -> tuple[str, Files] | None:
    """The one folder below that holds a batch, as torchvision has its raw/."""
    found = [(name, _listed(folders[name], field)[0]) for name in sorted(folders)[:8]]
    batches = [(name, files) for name, files in found if _reader_of(files)]
    named_raw = [(name, files) for name, files in batches if name.lower() == "raw"]
    chosen = named_raw or batches
    return chosen[0] if len(chosen) == 1 else None


def _listed(folder: BatchFolder, field: str) -> tuple[Files, dict[str, BatchFolder]]:
    """The files in a folder, and the folders, without what other systems leave there."""
    files, folders = folder.listed(field)
    if len(files) + len(folders) > MAX_FILES:
        raise InvalidInput(field, f"is a folder of more than {MAX_FILES:,} files")
    return (
        {name: Source(files[name], name, field) for name in files if _counts(name)},
        {name: folders[name] for name in folders if _counts(name)},
    )


def _counts(name: str) -> bool:
    return not name.startswith(".") and name not in _CLUTTER
