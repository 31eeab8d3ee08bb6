"""what the second version adds

Revision: 0002
Follows: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _platform_clock()


def _platform_clock() -> None:
    """Posts that a platform publishes at its own clock (P2.2)."""
    for name in ("platform_keeps_time", "withdraw"):
        column = sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false())
        op.add_column("publication_records", column)
        op.alter_column("publication_records", name, server_default=None)
    op.add_column("publication_records", sa.Column("remote_publish_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    for name in ("remote_publish_at", "withdraw", "platform_keeps_time"):
        op.drop_column("publication_records", name)
