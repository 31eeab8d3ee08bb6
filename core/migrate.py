"""Bring the database to the newest schema: ``python -m core.migrate``.

The schema changes by Alembic migration alone. A PostgreSQL advisory lock lets several processes start at once.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from core import database

LOCK = 726_001
_log = logging.getLogger(__name__)
MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


def configuration() -> Config:
    """Alembic's configuration without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


class CannotMigrate(Exception):
    """The database cannot be brought to the newest schema; the text says why and what to do."""


def upgrade(engine: Engine | None = None) -> None:
    """Apply every migration that is missing.

    Raises:
        CannotMigrate: the database cannot be reached, was written by a newer studio, or a migration failed. A failed
            one has changed nothing: PostgreSQL takes the whole step back.
    """
    try:
        with (engine or database.engine()).connect() as connection:
            _upgrade_locked(connection)
    except OperationalError as error:
        raise CannotMigrate(f"The database cannot be reached: {str(error.orig).strip()}") from error
    except SQLAlchemyError as error:
        _log.exception("the migration failed")
        raise CannotMigrate(f"The database could not be brought up to date: {str(error).splitlines()[0]}") from error


def _upgrade_locked(connection: Connection) -> None:
    connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
    try:
        config = configuration()
        config.attributes["connection"] = connection
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        if not _revisions_of(connection) <= known:
            raise CannotMigrate(
                "This database was written by a newer version of the studio. Start that version, or choose another "
                "data folder with STUDIO_DATA."
            )
        command.upgrade(config, "head")
        connection.commit()
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": LOCK})
        connection.commit()


def _revisions_of(connection: Connection) -> set[str]:
    if not inspect(connection).has_table("alembic_version"):
        return set()
    return set(connection.scalars(text("SELECT version_num FROM alembic_version")))


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
        try:
            upgrade()
        except CannotMigrate as refusal:
            sys.exit(str(refusal))
        sys.stdout.write("The database is up to date.\n")
