"""What the documents say is what the code does."""

from __future__ import annotations

import re

from core.tools import settings_table

ROOT = settings_table.README.parent
IDENTIFIER = re.compile(r"^\| ([VMPBAISH]\d[\d.a-d]*) ", re.MULTILINE)


def test_the_readme_lists_every_setting_as_it_is() -> None:
    readme = settings_table.README.read_text()
    assert settings_table.updated(readme) == readme


def test_every_row_of_the_status_table_names_an_existing_test_or_none() -> None:
    status = (ROOT / "docs" / "status.md").read_text()
    identifiers = IDENTIFIER.findall(status)
    assert len(identifiers) == len(set(identifiers)) >= 60
    for name in re.findall(r"`(tests/[\w/.]+\.py)", status):
        assert (ROOT / name).is_file(), name
