"""Alembic's entry: runs the migrations on the connection that core.migrate holds."""

from __future__ import annotations

from alembic import context

import core.models
from core.models.base import Base

assert core.models  # imported so that every table is known to the metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    compare_type=True,
    compare_server_default=False,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
