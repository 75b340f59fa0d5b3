"""Whatever picture comes, a server's memory rises by 150 MB at most."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.integration import decoding_process
from tests.unit.pictures import drawn, encoded

MAX_RISE = 150 << 20
_SIDE = 5_000


def grays() -> np.ndarray:
    return np.asarray(Image.fromarray(255 - drawn(4)).resize((_SIDE, _SIDE)))


def transparent(gray: np.ndarray) -> Image.Image:
    image = Image.fromarray(gray).convert("RGBA")
    image.putalpha(Image.fromarray(255 - gray))
    return image


PICTURES: dict[str, tuple[Callable[[np.ndarray], bytes], str]] = {
    "float TIFF": (
        lambda gray: encoded(Image.fromarray(gray / np.float32(255)), "TIFF", compression="tiff_deflate"),
        "mode F",
    ),
    "RGBA PNG": (lambda gray: encoded(transparent(gray)), "read"),
    "16 bits": (lambda gray: encoded(Image.fromarray(gray.astype(np.uint16) * 257)), "read"),
    "WebP": (lambda gray: encoded(gray, "WEBP", quality=1, method=0), "as WEBP"),
    "RGB TIFF, one strip": (
        lambda gray: encoded(
            Image.fromarray(gray).convert("RGB"), "TIFF", compression="tiff_deflate", strip_size=1 << 30
        ),
        "as TIFF",
    ),
    "progressive JPEG": (
        lambda gray: encoded(
            Image.fromarray(gray).convert("RGB"), "JPEG", progressive=True, subsampling=0, quality=1
        ),
        "as JPEG",
    ),
}


@pytest.mark.parametrize(("processes", "kind"), [(0, "RGBA PNG"), *((2, kind) for kind in PICTURES)])
def test_six_of_25_megapixels_take_150_mb_at_most(processes: int, kind: str, tmp_path: Path) -> None:
    make, end = PICTURES[kind]
    first, large = tmp_path / "first", tmp_path / "large"
    first.write_bytes(encoded(255 - drawn(5)))
    large.write_bytes(make(grays()))
    assert large.stat().st_size < 2 << 20
    done = subprocess.run(
        [sys.executable, decoding_process.__file__, str(first), *[str(large)] * 6],
        env={**os.environ, "DIGITS_PICTURE_PROCESSES": str(processes)},
        check=True,
        capture_output=True,
        text=True,
    )
    rise, *ends = done.stdout.splitlines()
    assert int(rise) < MAX_RISE
    assert len(ends) == 1
    assert ends[0].startswith("6 ")
    assert end in ends[0]
