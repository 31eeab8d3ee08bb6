"""a request of one name starts one job

Revision: 0003
Follows: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("request_key", sa.String(), nullable=True))
    op.create_index(
        "uq_jobs_request",
        "jobs",
        ["owner_id", "request_key"],
        unique=True,
        postgresql_where=sa.text("request_key IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("uq_jobs_request", table_name="jobs")
    op.drop_column("jobs", "request_key")
