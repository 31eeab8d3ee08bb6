"""What attempts leave behind: private folders, and files moved into the store that no row ever told of.

An attempt that is killed between moving a result into the store and its checkpoint would leave that file there for
good. So each attempt writes the keys it uses into its folder first, and whoever removes the folder looks after them.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from core import assets, database

_KEYS = "staged-keys"


def note_key(folder: Path, key: str) -> None:
    """Remember, before the file is moved, that the attempt of this folder puts it into the store."""
    with (folder / _KEYS).open("a", encoding="utf-8") as file:
        file.write(f"{key}\n")


def remove_folder(folder: Path) -> None:
    """Remove the private folder of an attempt that has ended, and what it put into the store for nobody."""
    noted = folder / _KEYS
    keys = noted.read_text(encoding="utf-8").split() if noted.is_file() else []
    if keys:
        with database.session() as session:
            unowned = assets.unowned(session, keys)
        assets.remove_files(unowned)
    shutil.rmtree(folder, ignore_errors=True)
