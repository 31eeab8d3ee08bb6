"""Tables of the simulated platform: what a remote service would keep on its side. Nothing here is real."""

from __future__ import annotations

import uuid
from datetime import datetime
from decimal import Decimal

from sqlalchemy import BigInteger, ForeignKey, Numeric, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Base, Identified, Owned, Timestamped


class SimulatedPlatform(Identified, Owned, Timestamped, Base):
    """The clock and the seed of one owner's simulated platform."""

    __tablename__ = "simulated_platforms"
    __table_args__ = (UniqueConstraint("owner_id", name="uq_simulated_platforms_owner"),)

    days_played: Mapped[int] = mapped_column(default=0)
    seed: Mapped[int] = mapped_column(BigInteger(), default=0)


class SimulatedPost(Identified, Owned, Timestamped, Base):
    """A post on the simulated platform; its counters are the sums of its :class:`SimulatedDay` rows."""

    __tablename__ = "simulated_posts"
    __table_args__ = (UniqueConstraint("account_id", "marker", name="uq_simulated_posts_marker"),)

    account_id: Mapped[uuid.UUID] = mapped_column(
        Uuid(), ForeignKey("platform_accounts.id", ondelete="CASCADE"), index=True
    )
    marker: Mapped[str] = mapped_column(String(80))
    title: Mapped[str] = mapped_column(String(300))
    privacy: Mapped[str] = mapped_column(String(20))
    sha256: Mapped[str] = mapped_column(String(64))
    duration_seconds: Mapped[float] = mapped_column(default=0.0)
    published_at: Mapped[datetime]


class SimulatedDay(Base):
    """What a simulated post earned on one day of the simulated clock (gains, not totals)."""

    __tablename__ = "simulated_days"

    post_id: Mapped[uuid.UUID] = mapped_column(
        Uuid(), ForeignKey("simulated_posts.id", ondelete="CASCADE"), primary_key=True
    )
    day_number: Mapped[int] = mapped_column(primary_key=True)
    ends_at: Mapped[datetime]
    views: Mapped[int] = mapped_column(BigInteger())
    likes: Mapped[int] = mapped_column(BigInteger())
    comments: Mapped[int] = mapped_column(BigInteger())
    shares: Mapped[int] = mapped_column(BigInteger())
    watch_seconds: Mapped[int] = mapped_column(BigInteger())
    revenue: Mapped[Decimal] = mapped_column(Numeric(18, 6))
