"""who may see a post, in the words of every platform

Revision: 0004
Follows: 0003
"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BEFORE = ("private", "unlisted", "public")
AFTER = (*BEFORE, "friends", "followers")


def upgrade() -> None:
    _allow(AFTER)


def _allow(words: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{word}'" for word in words)
    op.drop_constraint(op.f("ck_publication_records_privacy"), "publication_records", type_="check")
    op.create_check_constraint(op.f("ck_publication_records_privacy"), "publication_records", f"privacy IN ({listed})")


def downgrade() -> None:
    op.execute("UPDATE publication_records SET privacy = 'private' WHERE privacy IN ('friends', 'followers')")
    _allow(BEFORE)
