"""The README's table of settings, from the one module that defines them: ``python -m core.tools.settings_table``.

With ``--write`` the table between the two markers of README.md is replaced.
"""

from __future__ import annotations

import sys
from pathlib import Path

from core.settings import Settings

README = Path(__file__).resolve().parents[2] / "README.md"
START, END = "<!-- settings -->\n", "<!-- /settings -->"


def table() -> str:
    """Markdown rows: environment name, default, meaning."""
    rows = ["| variable | default | meaning |", "| --- | --- | --- |"]
    for field in Settings.model_fields.values():
        default = "" if field.default in ("", None) else f"`{field.default}`"
        rows.append(f"| `{field.alias}` | {default} | {field.description} |")
    return "\n".join(rows) + "\n"


def updated(readme: str) -> str:
    """The README with the newest table; raises ``ValueError`` when the markers are missing."""
    before, rest = readme.split(START, 1)
    _old, after = rest.split(END, 1)
    return before + START + table() + END + after


def main(arguments: list[str]) -> int:
    if "--write" in arguments:
        README.write_text(updated(README.read_text()))
    else:
        sys.stdout.write(table())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
