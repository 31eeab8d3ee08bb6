"""The simulated platform's side of publishing: its posts live in tables of their own, written in transactions of their
own, as a remote service's would."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from core import database
from core.models.base import uuid7
from core.models.publishing import ContentChannel, Episode, PlatformAccount, PublicationRecord
from core.models.simulated import SimulatedDay, SimulatedPost
from core.progress import Progress, no_progress
from core.publishing.failures import PlatformFailure
from core.publishing.simulation import clock, payout, platform_of
from providers.publishing.base import (
    Checked,
    Handle,
    MetricsReport,
    MetricsRow,
    PlatformPublisherBase,
    PublishRequest,
    Reconciled,
    RevenueRow,
    SaveHandle,
)

_PIECE = 8 * 1024 * 1024
_COUNTERS = {
    "views": "views",
    "likes": "likes",
    "comments": "comments",
    "shares": "shares",
    "watch_seconds": "watch_time_seconds",
}


class SimulatedPublisher(PlatformPublisherBase):
    """One account on the simulated platform."""

    platform = "simulated"
    source = "simulated"

    def __init__(self, account_id: UUID) -> None:
        self._account_id = account_id

    def submit(
        self, request: PublishRequest, handle: Handle | None, save: SaveHandle, progress: Progress = no_progress
    ) -> str:
        """Read the file through, then store one post; the same marker again gives the same post."""
        save({"marker": request.marker})
        digest, read = hashlib.sha256(), 0
        with request.path.open("rb") as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
                read += len(piece)
                progress(0.9 * min(read / max(request.size_bytes, 1), 1.0), "stage.upload")
        if digest.hexdigest() != request.sha256:
            raise PlatformFailure(
                "The simulated platform received another file.", error_class="rejected", code="invalidFile"
            )
        with database.session() as session:
            account = session.get(PlatformAccount, self._account_id)
            if account is None:
                raise PlatformFailure("This account does not exist any more.", error_class="auth", code="gone")
            platform_of(session, account.owner_id)
            session.execute(
                insert(SimulatedPost)
                .values(
                    id=uuid7(),
                    owner_id=account.owner_id,
                    account_id=account.id,
                    marker=request.marker,
                    title=request.title,
                    privacy=request.privacy,
                    sha256=request.sha256,
                    duration_seconds=request.duration_seconds,
                    published_at=clock(session, account.owner_id),
                )
                .on_conflict_do_nothing()
            )
        found = self._find(request.marker)
        if found is None:
            raise PlatformFailure("The simulated platform lost the post.", error_class="unknown_outcome")
        return found

    def reconcile(self, marker: str, size_bytes: int, handle: Handle | None) -> Reconciled:
        """It has no listing delay: a post is there or it is not."""
        found = self._find(marker)
        return Reconciled("published", found) if found else Reconciled("absent")

    def _find(self, marker: str) -> str | None:
        with database.session() as session:
            found = session.scalar(
                select(SimulatedPost.id).where(
                    SimulatedPost.account_id == self._account_id, SimulatedPost.marker == marker
                )
            )
        return str(found) if found else None

    def check(self, remote_id: str) -> Checked:
        """Processed at once."""
        with database.session() as session:
            post = session.get(SimulatedPost, UUID(remote_id))
            if post is None or post.account_id != self._account_id:
                return Checked("gone", code="gone", reason="The post is not on the simulated platform any more.")
            return Checked("ready", post.privacy, published_at=post.published_at)

    def steps(self, request: PublishRequest) -> tuple[str, ...]:
        """It shows no thumbnails, captions or playlists, so nothing is left to do."""
        return ()

    def finalize(self, request: PublishRequest, remote_id: str, step: str, *, repeated: bool = False) -> str | None:
        """Never called: there are no steps."""
        raise PlatformFailure("The simulated platform has no such step.", step, error_class="rejected")

    def fetch_metrics(self, remote_ids: Sequence[str], since: date | None = None) -> MetricsReport:
        """The counters as they stood at the end of each simulated day."""
        days = self._days(remote_ids)
        totals = []
        for post_id, rows in days.items():
            sums = dict.fromkeys(_COUNTERS.values(), 0)
            for row in rows:
                for column, name in _COUNTERS.items():
                    sums[name] += getattr(row, column)
                if since is None or row.ends_at >= datetime.combine(since, time(), UTC):
                    totals.append(MetricsRow(post_id, row.ends_at, dict(sums)))
        with database.session() as session:
            wanted = [UUID(each) for each in remote_ids]
            there = {
                str(each)
                for each in session.scalars(
                    select(SimulatedPost.id).where(
                        SimulatedPost.id.in_(wanted), SimulatedPost.account_id == self._account_id
                    )
                )
            }
        return MetricsReport(totals, [], [each for each in remote_ids if each not in there])

    def fetch_revenue(
        self, remote_ids: Sequence[str], start: date, end: date, currency: str = "USD"
    ) -> list[RevenueRow]:
        """What each simulated day earned, always in the currency of the post's channel; final at once."""
        currencies = self._currencies(remote_ids)
        found = []
        for post_id, rows in self._days(remote_ids).items():
            for row in rows:
                amount, currency = payout(row.revenue, currencies.get(post_id, "USD"))
                found.append(
                    RevenueRow(
                        remote_id=post_id,
                        day=row.ends_at.date(),
                        amount=amount,
                        currency=currency,
                        kind="finalised",
                        external_ref=f"{post_id}:{row.day_number}",
                        report_tz="UTC",
                    )
                )
        return found

    def _currencies(self, remote_ids: Sequence[str]) -> dict[str, str]:
        with database.session() as session:
            rows = session.execute(
                select(PublicationRecord.remote_id, ContentChannel.currency)
                .join(Episode, Episode.id == PublicationRecord.episode_id)
                .join(ContentChannel, ContentChannel.id == Episode.channel_id)
                .where(
                    PublicationRecord.account_id == self._account_id,
                    PublicationRecord.remote_id.in_(list(remote_ids)),
                )
            )
            return {str(row.remote_id): row.currency for row in rows}

    def _days(self, remote_ids: Sequence[str]) -> dict[str, list[SimulatedDay]]:
        with database.session() as session:
            rows = session.scalars(
                select(SimulatedDay)
                .join(SimulatedPost, SimulatedPost.id == SimulatedDay.post_id)
                .where(
                    SimulatedDay.post_id.in_([UUID(each) for each in remote_ids]),
                    SimulatedPost.account_id == self._account_id,
                )
                .order_by(SimulatedDay.post_id, SimulatedDay.day_number)
            ).all()
        found: dict[str, list[SimulatedDay]] = {}
        for row in rows:
            found.setdefault(str(row.post_id), []).append(row)
        return found
