"""What a file is, by its first bytes: people send what their telephone, browser or shell made of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Enough for the magic numbers, and for an SVG after its declarations and comments.
HEAD_BYTES = 1024

_PICTURE = "save it as PNG or JPEG"
_UNPACK = "unpack it first"
_DOWNLOAD = "download the file itself again"
_BASE64 = re.compile(rb"[A-Za-z0-9+/_\-\s]+={0,2}\s*")
# The first bytes of PNG, JPEG, GIF, a zip (npz), WebP, BMP and gzip, as base64 writes them.
_BASE64_HEADS = (b"iVBOR", b"/9j/", b"R0lGOD", b"UEsDB", b"UklGR", b"Qk", b"H4sI")


@dataclass(frozen=True)
class FileKind:
    """A kind of file that is no use as it is: `name` fits after "is", `way_out` says what to do instead."""

    name: str
    way_out: str = ""

    def __str__(self) -> str:
        return f"{self.name}: {self.way_out}" if self.way_out else self.name


_MAGIC: tuple[tuple[bytes, FileKind], ...] = (
    (b"%PDF-", FileKind("a PDF", f"{_PICTURE} the part that shows the digit")),
    (b"\x1f\x8b", FileKind("packed with gzip", f"{_UNPACK}, with gunzip")),
    (
        b"version https://git-lfs",
        FileKind("a Git LFS pointer, not the file itself", "git lfs pull fetches it"),
    ),
    (b"data:", FileKind("a data URL as text", "send the bytes that its base64 stands for")),
    (b"\xff\xfe", FileKind("text in UTF-16", "PowerShell's > writes that; copy the file as bytes")),
    (b"\xfe\xff", FileKind("text in UTF-16", "copy the file as bytes")),
    (b"\x93NUMPY", FileKind("a single array (.npy)", "numpy.savez writes images and labels to one file")),
    (b"\x89HDF", FileKind("an HDF5 file", "write its arrays with numpy.savez")),
    (b"PAR1", FileKind("a Parquet file", "as a batch its name must end in .parquet")),
    (b"MATLAB 5", FileKind("a MATLAB file", "write its arrays with numpy.savez")),
    (b"\x89PNG", FileKind("a PNG picture")),
    (b"\xff\xd8\xff", FileKind("a JPEG picture")),
    (b"GIF8", FileKind("a GIF picture")),
    (b"7z\xbc\xaf", FileKind("a 7z archive", _UNPACK)),
    (b"\xfd7zXZ", FileKind("packed with xz", _UNPACK)),
    (b"\x28\xb5\x2f\xfd", FileKind("packed with zstandard", _UNPACK)),
    (b"Rar!", FileKind("a RAR archive", _UNPACK)),
    (b"PK", FileKind("a zip", _UNPACK)),
)
_BRANDS = {
    b"heic": "a HEIC picture",
    b"heix": "a HEIC picture",
    b"hevc": "a HEIC picture",
    b"mif1": "a HEIF picture",
    b"msf1": "a HEIF picture",
    b"avif": "an AVIF picture",
    b"avis": "an AVIF picture",
}


def kind_of(head: bytes) -> FileKind | None:
    """The kind of a file by its first kilobyte, or None for one that nobody here knows."""
    head = head[:HEAD_BYTES]
    if not head:
        return FileKind("empty", "0 bytes came")
    if head[4:8] == b"ftyp":
        return FileKind(_BRANDS.get(head[8:12], "a video"), _PICTURE)
    if head[257:262] == b"ustar":
        return FileKind("a tar archive", _UNPACK)
    if re.match(rb"\x80[\x02-\x05]", head):
        return FileKind("a pickle, which is never opened", "write its arrays with numpy.savez")
    return next((kind for magic, kind in _MAGIC if head.startswith(magic)), None) or _text(head)


def is_base64(text: bytes) -> bool:
    """Whether this is a file as base64 and not a name: long, nothing but its letters, of a known start."""
    head = text.strip()[:HEAD_BYTES]
    return head.startswith(_BASE64_HEADS) and len(head) >= 32 and bool(_BASE64.fullmatch(head))


def _text(head: bytes) -> FileKind | None:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head")):
        return FileKind("an HTML page", f"perhaps one that says why there was no download; {_DOWNLOAD}")
    if b"<svg" in start and start.startswith(b"<"):
        return FileKind("an SVG drawing", _PICTURE)
    if is_base64(head):
        return FileKind("base64 as text", "send the bytes that it stands for")
    if start.startswith((b"{", b"[")):
        return FileKind("JSON", "send the file itself as bytes")
    return None
