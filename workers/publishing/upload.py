"""The task ``publishing.upload``: one publication to its platform, whatever happens to the worker, once.

It may be started twice, killed anywhere, or run late. It takes the publication's lease, looks what became of earlier
attempts before it sends anything, sends, waits for the platform, does the steps after the upload, and records. What
cannot be decided by looking is left to a person, never sent again on a guess.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from core import database
from core.errors import JobCancelled, NotConfigured, NotFound
from core.models.assets import Asset
from core.models.publishing import PlatformAccount, PublicationAttempt, PublicationRecord
from core.publishing import limits, preflight, provenance
from core.publishing.failures import PlatformFailure
from core.publishing.payloads import PublicationOptions, PublishingUploadInput
from core.publishing.plan import database_now
from core.publishing.rules import rules_of
from core.storage import sha256_of, storage
from providers.publishing.base import CaptionTrack, Checked, PlatformPublisherBase, PublishRequest
from providers.publishing.catalogue import publisher_of
from workers.context import JobContext
from workers.publishing import dispatch, ledger, release
from workers.publishing.ledger import Taken
from workers.registry import task

PATIENCE = 15.0
"""Seconds a job waits for the platform's processing before it lets the worker do other things."""
CHECK_AGAIN = timedelta(seconds=20)
GONE_AFTER = timedelta(minutes=10)
REPAIR = timedelta(minutes=5)
"""How long a studio that is not set up waits before it tries again."""
ROUNDS = 5
STEP_TRIES = 3
_log = logging.getLogger(__name__)


class _Stop(Exception):
    """This run is over; the ledger says how the publication stands."""

    def __init__(self, state: str) -> None:
        super().__init__(state)
        self.state = state


@task("publishing.upload")
def upload(context: JobContext, payload: PublishingUploadInput) -> dict[str, Any]:
    """Bring one publication to its platform; the result says in which state this run left it."""
    taken = ledger.take(payload.publication_id, context.job_id, context.attempt)
    if isinstance(taken, str):
        return {"publication_id": str(payload.publication_id), "state": taken, "skipped": True}
    try:
        with ledger.kept(taken):
            state = _publish(context, taken)
    except _Stop as stop:
        state = stop.state
    except NotConfigured as error:
        state = _misconfigured(taken, error)
    dispatch.dispatch_due()  # the account is free: its next post need not wait for the clock
    return {"publication_id": str(payload.publication_id), "state": state, "remote_id": taken.remote_id}


def _misconfigured(taken: Taken, error: NotConfigured) -> str:
    """Something of ours is not in order (Google does not know our client): not the account's fault and not the post's.
    It is kept as it stands and tried again later; what is wrong is shown until then."""
    ledger.put_off(taken, datetime.now(UTC) + REPAIR, f"{error.title} {error.detail}".strip())
    return "put off"


def _publish(context: JobContext, taken: Taken) -> str:
    request, publisher, delay, platform = _prepare(context, taken)
    if taken.remote_id is None:
        _wait_for_limits(taken, platform)
        early = _early(taken, platform)
        remote_id, adopted = _send(context, taken, publisher, request, delay, early)
        ledger.uploaded(taken, remote_id, adopted=adopted)
    return _complete(context, taken, publisher, request)


def _prepare(context: JobContext, taken: Taken) -> tuple[PublishRequest, PlatformPublisherBase, timedelta, str]:
    """The request, after the checks that come before any remote call: account, words, file and its hash."""
    with database.session() as session:
        record = session.get_one(PublicationRecord, taken.publication_id)
        account = session.get_one(PlatformAccount, record.account_id)
        asset = session.get(Asset, record.asset_id) if record.asset_id else None
        thumbnail = session.get(Asset, record.thumbnail_asset_id) if record.thumbnail_asset_id else None
        options = PublicationOptions.model_validate(record.options)
        synthetic = options.synthetic_media
        if synthetic is None:  # planned before the mark was stored with the plan
            synthetic = provenance.of_asset(session, asset).ai_generated
        tracks = [(caption, session.get(Asset, caption.asset_id)) for caption in options.captions]
    rules = rules_of(record.platform)
    if account.status != "connected":
        ledger.ended(
            taken, "needs_reconnect", account.status_reason or "The account has to be connected again.", "postponed"
        )
        raise _Stop("needs_reconnect")
    issues = [
        *preflight.check_text(rules, record.title, record.description, record.tags, record.privacy),
        *preflight.check_asset(rules, asset, record.content_sha256),
    ]
    reason = next((issue.message for issue in issues if issue.level == "error"), "")
    ahead = release.wanted(record, database_clock())
    path, picture = _local(asset), _local(thumbnail)
    captions = [(caption, _local(file)) for caption, file in tracks]
    if taken.remote_id is None:
        absent = path is None or (thumbnail is not None and picture is None) or any(not file for _, file in captions)
        if absent and not reason:
            reason = "A file of this publication is missing on disk."
        if path is not None and not reason and sha256_of(path) != record.content_sha256:
            reason = "The video file changed after it was approved; plan it again."
        if reason:
            ledger.ended(taken, "failed", reason, "failed")
            raise _Stop("failed")
    request = PublishRequest(
        marker=taken.marker,
        path=path or context.folder,  # missing only when it is on the platform already and is not sent again
        size_bytes=asset.size_bytes if asset else 0,
        mime_type=asset.mime_type if asset else "video/mp4",
        sha256=record.content_sha256,
        title=record.title,
        description=record.description,
        tags=tuple(record.tags),
        privacy=record.privacy,
        duration_seconds=(asset.duration_seconds if asset else None) or 0.0,
        category_id=options.category_id,
        language=options.language,
        made_for_kids=options.made_for_kids,
        synthetic_media=synthetic,
        notify_subscribers=options.notify_subscribers,
        thumbnail=picture,
        captions=tuple(
            CaptionTrack(file, caption.language, caption.name) for caption, file in captions if file is not None
        ),
        playlist_id=options.playlist_id,
        width=asset.width if asset else None,
        height=asset.height if asset else None,
        fps=asset.fps if asset else None,
        options=options,
        publish_at=ahead.publish_at if ahead is not None else None,
    )
    return request, publisher_of(account), timedelta(seconds=rules.listing_delay_seconds), record.platform


def _local(asset: Asset | None) -> Path | None:
    if asset is None:
        return None
    try:
        return storage().local_path(asset.storage_key)
    except NotFound:
        return None


def _wait_for_limits(taken: Taken, platform: str) -> None:
    with database.session() as session:
        block = limits.blocked(session, platform, taken.account_id, rules_of(platform).publish_call)
    if block is not None:
        ledger.put_off(taken, block.until, block.reason)
        raise _Stop("scheduled")


def _early(taken: Taken, platform: str) -> datetime | None:
    """The time of a post that is only prepared now, because the platform keeps none; None when it is due."""
    due_at = _record(taken).due_at
    ahead = rules_of(platform).prepared_before is not None and due_at is not None and due_at > database_clock()
    return due_at if ahead else None


def _send(
    context: JobContext,
    taken: Taken,
    publisher: PlatformPublisherBase,
    request: PublishRequest,
    delay: timedelta,
    early: datetime | None = None,
) -> tuple[str, bool]:
    """The post's id on the platform, and whether an earlier attempt had brought it there."""
    save = partial(ledger.save_handle, taken, total=request.size_bytes)
    in_doubt = taken.in_doubt
    for _ in range(ROUNDS):
        try:
            if in_doubt:
                found = _look(taken, publisher, request, delay)
                if found is not None:
                    return found, True
            if early is not None:
                publisher.prepare(request, taken.handle, save, context.progress)
                ledger.prepared(taken, early)
                raise _Stop("scheduled")
            return publisher.submit(request, taken.handle, save, context.progress), False
        except PlatformFailure as failure:
            if failure.error_class != "unknown_outcome":
                _give_way(taken, failure)
            _log.warning("outcome unknown, looking on the platform: %s", failure)
            in_doubt = True
        except JobCancelled:
            if not context.stop_requested.is_set():
                raise
            return _stopped(taken, publisher, request), True
    unclear = PlatformFailure(
        "The platform's answers stayed unclear.", "Look there, then say what is so.", error_class="unknown_outcome"
    )
    ledger.ended(taken, "needs_review", unclear.title, "unknown", unclear)
    raise _Stop("needs_review")


def _look(taken: Taken, publisher: PlatformPublisherBase, request: PublishRequest, delay: timedelta) -> str | None:
    """The id of the post if an earlier attempt made it; None when sending is safe."""
    try:
        seen = publisher.reconcile(taken.marker, request.size_bytes, taken.handle)
    except PlatformFailure as failure:
        if failure.error_class != "rejected":
            raise
        # We may not look. That is no proof of anything, and a new attempt could be a second post.
        reason = f"{failure.title} It may be on the platform already."
        ledger.ended(taken, "needs_review", reason, "unknown", failure)
        raise _Stop("needs_review") from failure
    if seen.outcome == "published":
        return seen.remote_id
    if seen.outcome == "resumable":
        return None
    if seen.outcome == "absent" or taken.handle is None:
        taken.handle = None
        return None
    # The session is gone and the marker is not listed. Listings lag: only after that delay is absence a proof.
    now = datetime.now(UTC)
    since = taken.handle.get("doubt_since")
    if since is None:
        ledger.save_handle(taken, {**taken.handle, "doubt_since": now.isoformat()}, request.size_bytes)
        since = now.isoformat()
    settled = datetime.fromisoformat(since) + delay
    if now < settled:
        reason = "Looking whether the video arrived before it is sent again."
        ledger.put_off(
            taken, settled, reason, PlatformFailure(reason, error_class="unknown_outcome", code="listing-delay")
        )
        raise _Stop("submitting")
    taken.handle = None
    return None


def _stopped(taken: Taken, publisher: PlatformPublisherBase, request: PublishRequest) -> str:
    """The user stopped the job in mid-upload: cancelled if the platform has no post, otherwise the post stands."""
    try:
        seen = publisher.reconcile(taken.marker, request.size_bytes, taken.handle)
    except PlatformFailure as failure:
        ledger.ended(taken, "needs_review", "It was stopped, and may be on the platform.", "unknown", failure)
        raise JobCancelled from failure
    if seen.outcome == "published" and seen.remote_id:
        return seen.remote_id
    if seen.outcome == "undecided":
        ledger.ended(taken, "needs_review", "It was stopped, and may be on the platform.", "unknown")
    else:
        ledger.ended(taken, "cancelled", "Stopped during the upload.", "failed")
    raise JobCancelled


def _give_way(taken: Taken, failure: PlatformFailure) -> None:
    """What a failure means for the publication. Always raises :class:`_Stop`."""
    now = datetime.now(UTC)
    if failure.error_class == "auth":
        ledger.ended(taken, "needs_reconnect", failure.title, "unknown" if taken.handle else "postponed", failure)
        raise _Stop("needs_reconnect")
    if failure.error_class in ("throttled", "quota"):
        ledger.put_off(taken, failure.retry_at or now + timedelta(minutes=5), failure.title, failure)
        raise _Stop("put off")
    if failure.error_class in ("transient", "unknown_outcome"):
        number = _attempts(taken)
        if number >= ledger.MAXIMUM_ATTEMPTS:
            ledger.ended(taken, "needs_review" if taken.handle else "failed", failure.title, "unknown", failure)
            raise _Stop("needs_review" if taken.handle else "failed")
        pause = timedelta(seconds=random.uniform(1.0, min(2.0**number, 900.0)))
        ledger.put_off(taken, now + pause, failure.title, failure)
        raise _Stop("put off")
    ledger.ended(taken, "failed", f"{failure.title} {failure.detail}".strip(), "failed", failure)
    raise _Stop("failed")


def _attempts(taken: Taken) -> int:
    with database.session() as session:
        return session.get_one(PublicationRecord, taken.publication_id).attempts


def _complete(context: JobContext, taken: Taken, publisher: PlatformPublisherBase, request: PublishRequest) -> str:
    """Wait for the platform's processing, do the steps, record the end."""
    assert taken.remote_id is not None
    seen = _settled(taken, publisher, lambda: context.progress(0.93, "stage.processing"))
    withdraw = _record(taken).withdraw
    if withdraw and seen.state == "gone":
        return _gone(taken)
    if seen.state in ("failed", "gone"):
        failure = PlatformFailure(seen.reason, error_class="rejected", code=seen.code)
        ledger.ended(taken, "failed", seen.reason, "failed", failure)
        return "failed"
    warnings = []
    for name in () if withdraw else publisher.steps(request):
        failed = _step(taken, publisher, request, name)
        if failed is not None:
            message = f"{failed.title} {failed.detail}".strip()
            warnings.append({"level": "warning", "code": f"step_{name.partition(':')[0]}", "message": message})
    return _released(taken, publisher, seen, warnings)


def _released(taken: Taken, publisher: PlatformPublisherBase, seen: Checked, warnings: list[dict[str, str]]) -> str:
    """The end of a run: published, waiting there for its time, or taken back, as the platform itself confirms."""
    assert taken.remote_id is not None
    record, now = _record(taken), database_clock()
    wanted = release.wanted(record, now)
    if wanted is None:
        return ledger.published(taken, seen, warnings)
    if wanted.publish_at is None and release.patient(seen, record, now):
        ledger.put_off(taken, now + release.LOOK_AGAIN, "The platform publishes it at any moment.")
        return "processing"
    try:
        seen = release.bring_about(publisher, taken.remote_id, seen, wanted)
    except PlatformFailure as failure:
        if failure.error_class == "rejected":
            ledger.ended(taken, "needs_review", f"{failure.title} {failure.detail}".strip(), "unknown", failure)
            return "needs_review"
        _give_way(taken, failure)
    held = release.holds(seen, wanted)
    if record.withdraw and seen.state == "gone":
        return _gone(taken)
    if record.withdraw and held:
        ledger.ended(taken, "cancelled", "It stays private on the platform.", "failed")
        return "cancelled"
    if wanted.publish_at is not None and seen.privacy != "public":
        return ledger.waiting(taken, seen, warnings, kept=held)
    if wanted.privacy != "public" and seen.privacy == "public":
        message = "It was public on the platform already."
        warnings = [*warnings, {"level": "warning", "code": "already_public", "message": message}]
    return ledger.published(taken, seen, warnings)


def _gone(taken: Taken) -> str:
    """Taken back, and nothing of it is left there: at another time it is a new post."""
    ledger.ended(taken, "cancelled", "It is not on the platform any more.", "failed", forget=True)
    return "cancelled"


def _record(taken: Taken) -> PublicationRecord:
    with database.session() as session:
        return session.get_one(PublicationRecord, taken.publication_id)


def database_clock() -> datetime:
    """The one clock that counts, also for what is due on a platform."""
    with database.session() as session:
        return database_now(session)


def _settled(taken: Taken, publisher: PlatformPublisherBase, tell: Callable[[], None]) -> Checked:
    assert taken.remote_id is not None
    deadline = time.monotonic() + PATIENCE
    pause = 0.5
    while True:
        try:
            seen = publisher.check(taken.remote_id)
        except PlatformFailure as failure:
            _give_way(taken, failure)
            raise
        lost = seen.state == "gone" and _age(taken) < GONE_AFTER  # a new post may not be listed yet
        if seen.state != "processing" and not lost:
            return seen
        tell()
        if time.monotonic() + pause > deadline:
            pause_until = datetime.now(UTC) + min(max(CHECK_AGAIN, _age(taken) / 10), timedelta(minutes=10))
            ledger.put_off(taken, pause_until, "The platform is processing the video.")
            raise _Stop("processing")
        time.sleep(pause)
        pause = min(pause * 1.5, 4.0)


def _age(taken: Taken) -> timedelta:
    """How long ago the attempt that made it was started: a post cannot be older."""
    with database.session() as session:
        return datetime.now(UTC) - session.get_one(PublicationAttempt, taken.attempt_id).started_at


def _step(taken: Taken, publisher: PlatformPublisherBase, request: PublishRequest, name: str) -> PlatformFailure | None:
    """One step after the upload; its failure is told and never sends the video again."""
    assert taken.remote_id is not None
    before, repeated = ledger.begin_step(taken, name)
    if before == "done":
        return None
    failure: PlatformFailure | None = None
    for attempt in range(STEP_TRIES):
        try:
            made = publisher.finalize(request, taken.remote_id, name, repeated=repeated)
        except PlatformFailure as error:
            failure = error
            if error.error_class not in ("transient", "unknown_outcome"):
                break
            repeated = True
            time.sleep(random.uniform(0, 0.2 * 2**attempt))
        except NotConfigured as error:
            failure = PlatformFailure(error.title, error.detail, error_class="auth", code=error.setting)
            break
        else:
            ledger.end_step(taken, name, remote_id=made)
            return None
    ledger.end_step(taken, name, failure=failure)
    return failure
