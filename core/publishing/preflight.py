"""What is checked before anything goes to a platform: when planning, and again in the worker before the first call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.models.assets import Asset
from core.models.publishing import PlatformAccount, PublicationRecord
from core.publishing import states
from core.publishing.captions import caption_of, hashtags_in, units
from core.publishing.payloads import PublicationOptions
from core.publishing.provenance import Part, Provenance
from core.publishing.reels import fits_a_reel
from core.publishing.rules import REELS, PlatformRules, tags_length

SAME_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Issue:
    """Something found. ``code`` is a message key under ``publishing.issue``; ``message`` the English sentence;
    ``detail`` names what it is about, in nobody's language (file names and licences)."""

    level: Literal["error", "warning"]
    code: str
    message: str
    detail: str = ""

    def as_dict(self) -> dict[str, str]:
        shown = {"level": self.level, "code": self.code, "message": self.message}
        return {**shown, "detail": self.detail} if self.detail else shown


def check_text(rules: PlatformRules, title: str, description: str, tags: Sequence[str], privacy: str) -> list[Issue]:
    """What the platform's own rules say about the words. Pure."""
    found = []
    if not title.strip():
        found.append(Issue("error", "title_empty", "The title is empty."))
    if len(title) > rules.title_characters:
        found.append(
            Issue(
                "error",
                "title_long",
                f"The title has {len(title)} characters; {rules.title_characters} are allowed.",
            )
        )
    if rules.caption_units is not None:
        found += _check_caption(rules, caption_of(title, description, tags))
    if len(description.encode()) + rules.marker_bytes > rules.description_bytes:
        found.append(Issue("error", "description_long", "The description is too long for this platform."))
    length = tags_length(list(tags))
    if length > rules.tags_characters:
        found.append(
            Issue("error", "tags_long", f"The tags take {length} characters; {rules.tags_characters} are allowed.")
        )
    texts = (title, description, *tags)
    if any(character in text for character in rules.forbidden_characters for text in texts):
        found.append(
            Issue("error", "characters", f"This platform does not allow the characters {rules.forbidden_characters}.")
        )
    if not privacy:
        found.append(
            Issue("error", "privacy_open", "Choose who can see it: this platform wants the creator to decide.")
        )
    elif privacy not in rules.privacies:
        found.append(Issue("error", "privacy", "This platform does not have that privacy."))
    return found


def _check_caption(rules: PlatformRules, caption: str) -> list[Issue]:
    found = []
    if rules.caption_units is not None and units(caption) > rules.caption_units:
        message = f"The text has {units(caption)} characters; {rules.caption_units} are allowed."
        found.append(Issue("error", "caption_long", message))
    if rules.hashtags is not None and hashtags_in(caption) > rules.hashtags:
        message = f"The text has {hashtags_in(caption)} hashtags; {rules.hashtags} are allowed."
        found.append(Issue("error", "hashtags", message))
    return found


def check_asset(rules: PlatformRules, asset: Asset | None, approved_sha256: str = "") -> list[Issue]:
    """The file: it exists, is a video, is small enough, and is the one that was approved."""
    if asset is None:
        return [Issue("error", "asset_missing", "The video of this publication is not in the library any more.")]
    found = []
    if asset.kind != "video":
        found.append(Issue("error", "asset_kind", "Only a video can be published."))
    if asset.size_bytes > rules.video_bytes:
        found.append(Issue("error", "asset_large", "The video is larger than this platform takes."))
    if asset.size_bytes == 0:
        found.append(Issue("error", "asset_empty", "The video file is empty."))
    found += _check_picture(rules, asset)
    if approved_sha256 and asset.sha256 != approved_sha256:
        found.append(Issue("error", "asset_changed", "The video changed after it was approved; plan it again."))
    return found


def _check_picture(rules: PlatformRules, asset: Asset) -> list[Issue]:
    """What the probe of the file says against the platform's limits; what was not probed is left to the platform."""
    found = []
    if rules.video_types and asset.mime_type not in rules.video_types:
        found.append(Issue("error", "asset_type", "This platform does not take this kind of video file."))
    seconds = asset.duration_seconds
    if seconds is not None and seconds < rules.shortest_seconds:
        message = f"The video is shorter than the {rules.shortest_seconds:g} seconds this platform asks for."
        found.append(Issue("error", "asset_short", message))
    if seconds is not None and rules.longest_seconds is not None and seconds > rules.longest_seconds:
        message = f"The video is longer than the {rules.longest_seconds:g} seconds this platform takes."
        found.append(Issue("error", "asset_long", message))
    rate = _rate(asset.fps)
    if rate and rules.frames_per_second and not _within(rate, rules.frames_per_second):
        low, high = rules.frames_per_second
        message = f"This platform takes {low:g} to {high:g} pictures a second."
        found.append(Issue("error", "asset_fps", message))
    sides = [side for side in (asset.width, asset.height) if side]
    if rules.side_pixels and not all(_within(side, rules.side_pixels) for side in sides):
        least, most = rules.side_pixels
        message = f"Each side of the picture must have {least} to {most} pixels on this platform."
        found.append(Issue("error", "asset_size", message))
    return found


def _rate(fps: str | None) -> float:
    """Pictures a second of a probed rate such as "30000/1001"; 0 where none is known."""
    try:
        return float(Fraction(fps or "0"))
    except (ValueError, ZeroDivisionError):
        return 0.0


def _within(value: float, bounds: tuple[float, float]) -> bool:
    return bounds[0] <= value <= bounds[1]


def check_reel(asset: Asset | None, options: PublicationOptions) -> list[Issue]:
    """A Reel that was asked for must be one."""
    if asset is None or options.facebook.surface != "reel":
        return []
    if fits_a_reel(asset.width, asset.height, asset.fps, asset.duration_seconds):
        return []
    message = (
        f"A Reel is upright (9:16, at least {REELS.width} by {REELS.height}) and "
        f"{REELS.shortest:g} to {REELS.longest:g} seconds long."
    )
    return [Issue("error", "reel", message)]


def check_ai_mark(rules: PlatformRules, marked: bool) -> list[Issue]:
    """A mark that cannot be set from here has to be set there."""
    if not marked or rules.takes_ai_mark:
        return []
    message = "This platform takes no AI mark from programs: set it there, or say it in the text."
    return [Issue("warning", "ai_mark", message)]


def check_licences(found: Provenance, description: str) -> list[Issue]:
    """What the material's licences ask (I4). Warnings: only the user knows what else was agreed."""
    issues = []
    for code, message, parts in (
        ("licence_non_commercial", "A part of this video may not be used to earn money.", found.non_commercial),
        ("licence_share_alike", "A part of this video asks for the same licence again.", found.share_alike),
        ("licence_no_derivatives", "A part of this video may not be shown changed or cut.", found.no_derivatives),
    ):
        if parts:
            issues.append(Issue("warning", code, message, _named(parts)))
    uncredited = [part for part in found.attribution if part.name not in description]
    if uncredited:
        message = "A part of this video asks to be credited in the description."
        issues.append(Issue("warning", "licence_attribution", message, _named(uncredited)))
    return issues


def _named(parts: Sequence[Part]) -> str:
    return ", ".join(f"{part.name} ({part.licence})" for part in parts)


def check_thumbnail(rules: PlatformRules, asset: Asset | None) -> list[Issue]:
    """The picture, where one was chosen."""
    if asset is None:
        return []
    if not rules.takes_thumbnail:
        return [Issue("warning", "thumbnail_unused", "This platform takes its cover from the video itself.")]
    if asset.mime_type not in rules.thumbnail_types:
        return [Issue("error", "thumbnail_type", "The thumbnail must be a JPEG or PNG picture.")]
    if asset.size_bytes > rules.thumbnail_bytes:
        return [Issue("error", "thumbnail_large", "The thumbnail is larger than this platform takes.")]
    return []


def check_account(account: PlatformAccount) -> list[Issue]:
    """Whether the account can be published to."""
    if account.status == "connected":
        return []
    return [Issue("error", "account", f"The account {account.name} has to be connected again.")]


def check_duplicates(session: Session, account: PlatformAccount, sha256: str, due_at: datetime | None) -> list[Issue]:
    """Warnings: the same file on the same account already, or another post within the hour."""
    statement = select(PublicationRecord.content_sha256, PublicationRecord.due_at, PublicationRecord.state).where(
        PublicationRecord.account_id == account.id,
        PublicationRecord.state.in_(states.PUBLISHED | states.ACTIVE | {"scheduled", "needs_review"}),
    )
    rows = session.execute(statement).all()
    found = []
    if any(row.content_sha256 == sha256 for row in rows):
        found.append(
            Issue("warning", "duplicate_content", "This video is on this account already, or is on its way there.")
        )
    if due_at is not None and any(
        row.state == "scheduled" and row.due_at and abs(row.due_at - due_at) < SAME_HOUR for row in rows
    ):
        found.append(Issue("warning", "same_hour", "Another post is planned on this account within the hour."))
    return found
