"""The simulated platform's audience and its clock. Its figures are invented, repeatable, and marked as simulated.

The same post under the same seed always gets the same week. Views of a day fall with its age as a power law around a
log-normal appeal of the post, which is the shape real channels show; nothing here claims to predict them.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import jobs, live
from core.errors import Conflict
from core.models.base import uuid7
from core.models.publishing import PlatformAccount, PublicationRecord
from core.models.simulated import SimulatedDay, SimulatedPlatform, SimulatedPost
from core.publishing import states
from core.publishing.payloads import SyncMetricsInput, SyncRevenueInput
from core.security import Actor

WEEK = 7
PAYS = {
    "USD": Decimal(1),
    "THB": Decimal(33),
    "EUR": Decimal("0.9"),
    "GBP": Decimal("0.8"),
    "JPY": Decimal(150),
    "SGD": Decimal("1.3"),
    "AUD": Decimal("1.5"),
    "KRW": Decimal(1400),
    "VND": Decimal(25000),
    "INR": Decimal(85),
}
"""What the simulated platform pays for a simulated dollar, by the channel's currency. Invented, like all of it."""
TYPICAL_VIEWS = 900
REACH = {"public": 1.0, "unlisted": 0.02, "private": 0.0}


@dataclass(frozen=True)
class DayGains:
    """What a post gained on one simulated day; ``revenue`` in simulated dollars (see :func:`payout`)."""

    views: int
    likes: int
    comments: int
    shares: int
    watch_seconds: int
    revenue: Decimal


def audience_day(seed: int, marker: str, day: int, duration_seconds: float, privacy: str) -> DayGains:
    """The gains of day ``day`` (from 1) of a post. Pure and deterministic."""
    post = random.Random(f"{seed}/{marker}")
    appeal = TYPICAL_VIEWS * math.exp(post.gauss(0, 0.8)) * (1.4 if duration_seconds <= 60 else 1.0)
    retention = min(max(post.gauss(0.55, 0.12), 0.15), 0.95)
    rates = [max(post.gauss(mean, mean / 4), 0.0) for mean in (0.04, 0.004, 0.006)]
    revenue_per_thousand = max(post.gauss(2.4, 0.7), 0.3)
    chance = random.Random(f"{seed}/{marker}/{day}")
    views = int(appeal * day**-1.2 * math.exp(chance.gauss(0, 0.2)) * REACH[privacy])
    likes, comments, shares = (round(views * rate * math.exp(chance.gauss(0, 0.1))) for rate in rates)
    watched = round(views * min(duration_seconds, 1800.0) * retention)
    revenue = Decimal(str(round(views * revenue_per_thousand / 1000, 6)))
    return DayGains(views, likes, comments, shares, watched, revenue)


def payout(revenue: Decimal, currency: str) -> tuple[Decimal, str]:
    """A day's revenue as paid out in the channel's currency, so that trying things out needs no exchange rates."""
    code = currency if currency in PAYS else "USD"
    return (revenue * PAYS[code]).quantize(Decimal("0.000001")), code


def platform_of(session: Session, owner_id: UUID) -> SimulatedPlatform:
    """The owner's simulated platform, made on first use; the row is locked."""
    session.execute(
        insert(SimulatedPlatform)
        .values(id=uuid7(), owner_id=owner_id, days_played=0, seed=owner_id.int % (2**53))
        .on_conflict_do_nothing()
    )
    return session.scalars(
        select(SimulatedPlatform).where(SimulatedPlatform.owner_id == owner_id).with_for_update()
    ).one()


def clock(session: Session, owner_id: UUID) -> datetime:
    """What time it is on the simulated platform: ours, and the days played on top."""
    days = session.scalar(select(SimulatedPlatform.days_played).where(SimulatedPlatform.owner_id == owner_id)) or 0
    now: datetime = session.execute(select(func.now())).scalar_one()
    return now + timedelta(days=days)


def play_simulated_week(session: Session, actor: Actor) -> int:
    """Move the simulated clock seven days on, give the posts their audience, and have the figures read by the same
    jobs that read real platforms; returns how many posts were seen.

    Raises:
        Conflict: nothing is published on the simulated platform yet.
    """
    actor.require("editor")
    platform = platform_of(session, actor.owner_id)
    posts = session.scalars(select(SimulatedPost).where(SimulatedPost.owner_id == actor.owner_id)).all()
    if not posts:
        raise Conflict(
            "Nothing is published on the simulated platform yet.", "Publish an episode there first, then play a week."
        )
    rows = session.execute(
        select(SimulatedDay.post_id, func.max(SimulatedDay.day_number))
        .where(SimulatedDay.post_id.in_([post.id for post in posts]))
        .group_by(SimulatedDay.post_id)
    )
    lived: dict[UUID, int] = {row[0]: row[1] for row in rows}
    for post in posts:
        first = lived.get(post.id, 0) + 1
        for day in range(first, first + WEEK):
            gains = audience_day(platform.seed, post.marker, day, post.duration_seconds, post.privacy)
            session.add(
                SimulatedDay(
                    post_id=post.id,
                    day_number=day,
                    ends_at=post.published_at + timedelta(days=day),
                    views=gains.views,
                    likes=gains.likes,
                    comments=gains.comments,
                    shares=gains.shares,
                    watch_seconds=gains.watch_seconds,
                    revenue=gains.revenue,
                )
            )
    platform.days_played += WEEK
    session.flush()
    _have_figures_read(session, actor)
    live.notify(session, actor.owner_id, {"type": "simulation", "days_played": platform.days_played})
    return len(posts)


def _have_figures_read(session: Session, actor: Actor) -> None:
    records = session.execute(
        select(PublicationRecord.account_id, PublicationRecord.id)
        .join(PlatformAccount, PlatformAccount.id == PublicationRecord.account_id)
        .where(
            PublicationRecord.owner_id == actor.owner_id,
            PublicationRecord.is_simulated.is_(True),
            PublicationRecord.state.in_(states.PUBLISHED),
            PlatformAccount.status == "connected",
        )
    ).all()
    by_account: dict[UUID, list[UUID]] = {}
    for row in records:
        by_account.setdefault(row.account_id, []).append(row.id)
    for account_id, ids in by_account.items():
        for start in range(0, len(ids), 500):
            part = ids[start : start + 500]
            jobs.submit(
                session,
                actor,
                "publishing.sync_metrics",
                SyncMetricsInput(account_id=account_id, publication_ids=part),
            )
            jobs.submit(
                session,
                actor,
                "publishing.sync_revenue",
                SyncRevenueInput(account_id=account_id, publication_ids=part),
            )
    session.execute(
        update(PublicationRecord)
        .where(PublicationRecord.id.in_([row.id for row in records]))
        .values(next_metrics_at=func.now() + timedelta(hours=1), next_revenue_at=func.now() + timedelta(hours=6))
    )
