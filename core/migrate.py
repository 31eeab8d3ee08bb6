"""Bring the database to the newest schema: ``python -m core.migrate``.

The schema changes by Alembic migration alone. A PostgreSQL advisory lock lets several processes start at once.
"""

from __future__ import annotations

import sys
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, text

from core import database

LOCK = 726_001
MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


def configuration() -> Config:
    """Alembic's configuration without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def upgrade(engine: Engine | None = None) -> None:
    """Apply every migration that is missing."""
    with (engine or database.engine()).connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
        config = configuration()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()
        connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": LOCK})
        connection.commit()


def new(message: str) -> None:
    """Write a migration with what the models have beyond the running studio's database (``--new MESSAGE``)."""
    with database.engine().connect() as connection:
        config = configuration()
        config.attributes["connection"] = connection
        command.revision(config, message=message, autogenerate=True, rev_id=f"{len(_versions()) + 1:04d}")


def _versions() -> list[Path]:
    return sorted((MIGRATIONS / "versions").glob("*.py"))


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "--new":
        new(sys.argv[2])
    else:
        upgrade()
        sys.stdout.write("The database is up to date.\n")
