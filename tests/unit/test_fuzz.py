"""Whatever bytes a stranger sends, they are read or refused."""

from __future__ import annotations

import pytest

from tests.fuzz.targets import TARGETS, feed_all

FILES = 20


@pytest.mark.parametrize("name", TARGETS)
def test_almost_right_files_are_read_or_refused(name: str) -> None:
    feed_all(TARGETS[name], FILES, repeatable=True)
