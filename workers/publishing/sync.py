"""The tasks ``publishing.sync_metrics`` and ``publishing.sync_revenue``: read a platform's figures, store them.

Simulated and real figures take the same way; the source's name, and the mark on publication and earning, keep them
apart. A repeated or interrupted round changes nothing twice (core.business keeps observations by their moment and
earnings by their reference).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core import database, events
from core.business.revenue import Earning, record_earnings
from core.business.snapshots import DayReport, Snapshot, record_day_reports, record_snapshots
from core.business.targets import Target
from core.errors import NotFound
from core.models.jobs import Job
from core.models.publishing import ContentChannel, Episode, PlatformAccount, PublicationRecord
from core.publishing import limits, states, tokens
from core.publishing.failures import PlatformFailure
from core.publishing.payloads import SyncMetricsInput, SyncRevenueInput
from providers.publishing.base import CURRENCY, PlatformPublisherBase, RevenueRow
from providers.publishing.catalogue import publisher_of
from workers.context import JobContext
from workers.registry import task

METRICS_WINDOW = timedelta(days=8)
REVENUE_WINDOW = timedelta(days=36)
T = TypeVar("T")


@task("publishing.sync_metrics")
def sync_metrics(context: JobContext, payload: SyncMetricsInput) -> dict[str, Any]:
    """Read the counters of an account's publications and store them."""
    account, by_remote = _load(payload.account_id, payload.publication_ids)
    if not by_remote:
        return {"publications": 0, "written": 0}
    context.progress(0.1, "stage.sync")
    simulated = account.is_simulated
    since = None if simulated else _from(account, "publishing.sync_metrics", list(by_remote.values()), METRICS_WINDOW)
    publisher = publisher_of(account)
    report = _ask(account, publisher, lambda: publisher.fetch_metrics(list(by_remote), since))
    for asked, (own, _) in report.identified.items():
        by_remote[own] = by_remote.pop(asked)
    with database.session() as session:
        for own, url in report.identified.values():
            record = session.get_one(PublicationRecord, by_remote[own], with_for_update=True)
            record.remote_id, record.remote_url = own, url or record.remote_url
        totals = record_snapshots(
            session,
            [
                Snapshot(
                    by_remote[row.remote_id],
                    row.captured_at,
                    row.counters,
                    publisher.source,
                    sync_run_id=context.job_id,
                )
                for row in report.totals
            ],
        )
        now = datetime.now(UTC)
        days = record_day_reports(
            session,
            [
                DayReport(
                    by_remote[row.remote_id],
                    row.day,
                    now,
                    row.counters,
                    publisher.source,
                    row.report_tz,
                    row.is_final,
                    context.job_id,
                )
                for row in report.days
            ],
        )
        _checked(session, by_remote, report.missing)
        events.emit(
            session,
            events.METRICS_SYNCED,
            account.owner_id,
            {
                "account_id": str(account.id),
                "publications": len(by_remote),
                "written": totals.written + days.written,
                "simulated": simulated,
            },
        )
    return {
        "publications": len(by_remote),
        "written": totals.written + days.written,
        "missing": len(report.missing),
        "refused": report.refused,
        "simulated": simulated,
    }


@task("publishing.sync_revenue")
def sync_revenue(context: JobContext, payload: SyncRevenueInput) -> dict[str, Any]:
    """Read what an account's publications earned and store it."""
    account, by_remote = _load(payload.account_id, payload.publication_ids)
    if not by_remote:
        return {"publications": 0, "written": 0}
    context.progress(0.1, "stage.sync")
    start = payload.start or _from(account, "publishing.sync_revenue", list(by_remote.values()), REVENUE_WINDOW)
    end = payload.end or datetime.now(UTC).date()
    publisher = publisher_of(account)
    rows: list[RevenueRow] = []
    unknown: list[str] = []
    try:
        for currency, ids in _by_currency(by_remote).items():
            try:
                rows += _ask(account, publisher, partial(publisher.fetch_revenue, ids, start, end, currency))
            except PlatformFailure as failure:
                if failure.code != CURRENCY:
                    raise
                unknown.append(currency)  # each row says its currency: the dashboard converts these by dated rates
                rows += _ask(account, publisher, partial(publisher.fetch_revenue, ids, start, end))
    except PlatformFailure as failure:
        if failure.code not in ("forbidden", "insufficientPermissions"):
            raise
        return {"publications": len(by_remote), "written": 0, "refused": failure.code}
    with database.session() as session:
        written = record_earnings(
            session,
            [
                Earning(
                    target=Target(publication_id=by_remote[row.remote_id]),
                    amount=row.amount,
                    currency=row.currency,
                    earned_on=row.day,
                    source=publisher.source,
                    external_ref=row.external_ref,
                    kind=row.kind,
                    report_tz=row.report_tz,
                    simulated=account.is_simulated,
                )
                for row in rows
            ],
        )
    return {
        "publications": len(by_remote),
        "written": written,
        "simulated": account.is_simulated,
        "currencies_not_reported": unknown,
    }


def _from(account: PlatformAccount, kind: str, publication_ids: list[UUID], window: timedelta) -> date:
    """The first day to ask for: as far before the last reading that came through as the platform revises its days, so
    that a time when the studio was off leaves no hole; before the first reading, when the oldest post was published."""
    with database.session() as session:
        last = session.scalar(
            select(func.max(Job.finished_at)).where(
                Job.owner_id == account.owner_id,
                Job.kind == kind,
                Job.status == "succeeded",
                Job.payload["account_id"].astext == str(account.id),
                func.coalesce(Job.result["refused"].astext, "") == "",
            )
        )
        if last is None:
            oldest = select(func.min(PublicationRecord.published_at)).where(PublicationRecord.id.in_(publication_ids))
            last = session.scalar(oldest)
    now = datetime.now(UTC)
    return (min(last or now, now) - window).date()


def _by_currency(by_remote: dict[str, UUID]) -> dict[str, list[str]]:
    """Posts by the currency of the channel they belong to."""
    with database.session() as session:
        rows = session.execute(
            select(PublicationRecord.remote_id, ContentChannel.currency)
            .join(Episode, Episode.id == PublicationRecord.episode_id)
            .join(ContentChannel, ContentChannel.id == Episode.channel_id)
            .where(PublicationRecord.id.in_(list(by_remote.values())))
            .order_by(ContentChannel.currency, PublicationRecord.remote_id)
        ).all()
    found: dict[str, list[str]] = {}
    for remote_id, currency in rows:
        found.setdefault(currency, []).append(str(remote_id))
    return found


def _load(account_id: UUID, publication_ids: list[UUID]) -> tuple[PlatformAccount, dict[str, UUID]]:
    with database.session() as session:
        account = session.get(PlatformAccount, account_id)
        if account is None:
            raise NotFound("This account does not exist any more.")
        rows = session.execute(
            select(PublicationRecord.remote_id, PublicationRecord.id).where(
                PublicationRecord.id.in_(publication_ids),
                PublicationRecord.account_id == account_id,
                PublicationRecord.state.in_(states.PUBLISHED),
                PublicationRecord.remote_id.is_not(None),
            )
        )
        return account, {str(remote_id): key for remote_id, key in rows}


def _ask(account: PlatformAccount, publisher: PlatformPublisherBase, read: Callable[[], T]) -> T:
    """Read; a limit or a lost sign-in is stored before the job ends with it."""
    try:
        return read()
    except PlatformFailure as failure:
        with database.session() as session:
            if failure.retry_at is not None:
                limits.block(
                    session,
                    publisher.platform,
                    None if failure.whole_application else account.id,
                    "units",
                    failure.retry_at,
                    failure.title,
                )
            if failure.error_class == "auth" and failure.code not in ("forbidden", "insufficientPermissions"):
                locked = session.get(PlatformAccount, account.id, with_for_update=True)
                if locked is not None and locked.status == "connected":
                    tokens.pause_account(session, locked, failure.title)
        raise


def _checked(session: Session, by_remote: dict[str, UUID], missing: list[str]) -> None:
    session.execute(
        update(PublicationRecord)
        .where(PublicationRecord.id.in_(list(by_remote.values())))
        .values(last_checked_at=func.now())
    )
    for remote_id in missing:
        record = session.get(PublicationRecord, by_remote[remote_id], with_for_update=True)
        if record is not None and not any(each.get("code") == "gone" for each in record.warnings):
            gone = {
                "level": "warning",
                "code": "gone",
                "message": "The platform does not show this post any more; it was deleted or made private there.",
            }
            record.warnings = [*record.warnings, gone]
