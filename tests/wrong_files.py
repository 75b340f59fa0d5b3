"""Files that people send as pictures: name → (bytes, what the answer calls it, the way out that it names)."""

from __future__ import annotations

import base64
import gzip

_PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x1c\0\0\0\x1c\x08\0\0\0\0"

WRONG_PICTURES: dict[str, tuple[bytes, str, str]] = {
    "HEIC": (b"\0\0\0\x18ftypheic" + bytes(100), "a HEIC picture", "save it as PNG or JPEG"),
    "AVIF": (b"\0\0\0\x1cftypavif" + bytes(100), "an AVIF picture", "save it as PNG or JPEG"),
    "a video": (b"\0\0\0\x18ftypmp42" + bytes(100), "a video", "PNG or JPEG"),
    "SVG": (b"<?xml version='1.0'?>\n<!-- five -->\n<svg xmlns='a'/>", "an SVG drawing", "PNG or JPEG"),
    "PDF": (b"%PDF-1.7\n" + bytes(100), "a PDF", "save it as PNG or JPEG"),
    "gzip": (gzip.compress(_PNG), "packed with gzip", "gunzip"),
    "HTML": (b"\n<!doctype html><title>404</title>", "an HTML page", "download the file itself again"),
    "Git LFS": (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer", "git lfs pull"),
    "base64": (base64.b64encode(_PNG * 3), "base64 as text", "send the bytes"),
    "a data URL": (
        b"data:image/png;base64," + base64.b64encode(_PNG),
        "a data URL as text",
        "send the bytes",
    ),
    "UTF-16": ("\N{BYTE ORDER MARK}PNG".encode("utf-16-le"), "text in UTF-16", "copy the file as bytes"),
    "a zip": (b"PK\3\4" + bytes(30), "a zip", "unpack it first"),
    "JSON": (b'{"image": "n5.png"}', "JSON", "send the file itself as bytes"),
}
