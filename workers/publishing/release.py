"""Posts that the platform publishes at its own clock: what it should hold, and bringing it there (P2.2).

The platform is asked how the post stands before and after each change; saying the same thing again changes nothing
there, so an answer that got lost is followed by another look and not by a guess.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.models.publishing import PublicationRecord
from core.publishing.failures import PlatformFailure
from providers.publishing.base import Checked, PlatformPublisherBase

SLACK = timedelta(seconds=30)
"""A time nearer than this is not given to the platform any more."""
GRACE = timedelta(minutes=2)
"""How long the platform may take to make public what is due before it is told to."""
LOOK_AGAIN = timedelta(seconds=10)
TRIES = 3


@dataclass(frozen=True)
class Release:
    """How a post should stand on the platform."""

    privacy: str
    publish_at: datetime | None


def wanted(record: PublicationRecord, now: datetime) -> Release | None:
    """What the platform should hold; None for a post that our own clock publishes."""
    if not record.platform_keeps_time or record.due_at is None:
        return None
    if record.withdraw:
        return Release("private", None)
    if record.due_at > now + SLACK:
        return Release("private", record.due_at)
    return Release(record.privacy, None)


def holds(seen: Checked, release: Release) -> bool:
    """Whether the platform holds it so; times are compared to the second, which is what platforms keep."""
    if seen.privacy != release.privacy or (seen.publish_at is None) != (release.publish_at is None):
        return False
    if seen.publish_at is None or release.publish_at is None:
        return True
    return abs(seen.publish_at - release.publish_at) < timedelta(seconds=1)


def patient(seen: Checked, record: PublicationRecord, now: datetime) -> bool:
    """Whether the platform has the right time and is only a little behind it."""
    return (
        not record.withdraw
        and record.due_at is not None
        and seen.publish_at is not None
        and abs(seen.publish_at - record.due_at) < timedelta(seconds=1)
        and now < record.due_at + GRACE
    )


def bring_about(publisher: PlatformPublisherBase, remote_id: str, seen: Checked, release: Release) -> Checked:
    """Change what the platform holds until it is as wanted, or it is public already, or it will not; returns how the
    post stands then.

    Raises:
        PlatformFailure: the platform refused, or cannot be asked.
    """
    for _ in range(TRIES):
        if holds(seen, release) or seen.state != "ready" or seen.privacy == "public":
            break
        try:
            publisher.set_release(remote_id, release.privacy, release.publish_at)
        except PlatformFailure as failure:
            if failure.error_class != "unknown_outcome":
                raise
        seen = publisher.check(remote_id)
    return seen
