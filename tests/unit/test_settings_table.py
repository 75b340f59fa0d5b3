"""The settings that people read are those that there are."""

from __future__ import annotations

from pathlib import Path

import pytest

from digits.settings import Settings
from digits.settings_table import table, with_table

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"


def test_the_page_has_every_setting_as_it_is() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert with_table(page) == page, "run: make docs"


def test_every_setting_is_described_and_no_secret_is_shown() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert f"`DIGITS_{name.upper()}`" in table()
    assert "SecretStr" not in table() and "***" not in table()


def test_a_page_without_a_place_for_it_is_an_error() -> None:
    with pytest.raises(ValueError, match="settings"):
        with_table("# a page")
