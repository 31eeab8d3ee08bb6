"""Shapes of channels, series, episodes, accounts and publications: what HTTP, pages and workers exchange (H4, H5)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, SecretStr, field_validator

from core.business.money import currency_code

Privacy = Literal["private", "unlisted", "public", "friends", "followers"]
Title = Annotated[str, Field(min_length=1, max_length=300)]
LAST_SECOND = 253_402_300_799
"""9999-12-31T23:59:59Z in seconds since 1970, the last instant that a datetime holds."""
Tags = Annotated[list[Annotated[str, Field(min_length=1, max_length=100)]], Field(max_length=100)]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Shown(BaseModel):
    model_config = ConfigDict(frozen=True, from_attributes=True)


class PublishingUploadInput(_Shape):
    """Payload of ``publishing.upload``."""

    publication_id: UUID


class SyncMetricsInput(_Shape):
    """Payload of ``publishing.sync_metrics``: publications of one account."""

    account_id: UUID
    publication_ids: list[UUID] = Field(min_length=1, max_length=500)


class SyncRevenueInput(_Shape):
    """Payload of ``publishing.sync_revenue``; ``start`` and ``end`` are days of the platform's reports."""

    account_id: UUID
    publication_ids: list[UUID] = Field(min_length=1, max_length=500)
    start: date | None = None
    end: date | None = None


class ChannelInput(_Shape):
    """POST /dashboard/channels."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    description: str = Field("", max_length=5000)
    timezone: str | None = None
    currency: str | None = Field(None, max_length=3)
    language: str | None = Field(None, max_length=16)
    is_default: bool = False

    @field_validator("currency")
    @classmethod
    def _currency(cls, code: str | None) -> str | None:
        return None if code is None else currency_code(code)


class SeriesInput(_Shape):
    """POST /dashboard/channels/{channel_id}/series."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    description: str = Field("", max_length=5000)
    is_default: bool = False


class EpisodeInput(_Shape):
    """POST /dashboard/episodes. Without a channel it goes to the default one."""

    title: Title
    channel_id: UUID | None = None
    series_id: UUID | None = None
    description: str = Field("", max_length=20_000)
    tags: Tags = Field(default_factory=list)
    language: str | None = Field(None, max_length=16)
    asset_id: UUID | None = None
    thumbnail_asset_id: UUID | None = None


class EpisodeChange(_Shape):
    """PATCH /dashboard/episodes/{id}: only the fields that are sent change."""

    title: Title | None = None
    description: str | None = Field(None, max_length=20_000)
    tags: Tags | None = None
    language: str | None = Field(None, max_length=16)
    series_id: UUID | None = None
    asset_id: UUID | None = None
    thumbnail_asset_id: UUID | None = None


class AuthConfig(_Shape):
    """Ready tokens of an account. ``client_id`` and ``client_secret`` stand in for those on the settings page."""

    access_token: SecretStr | None = None
    refresh_token: SecretStr | None = None
    expires_at: datetime | Annotated[float, Field(ge=0, le=LAST_SECOND)] | None = None
    scopes: list[str] = Field(default_factory=list)
    client_id: str | None = None
    client_secret: SecretStr | None = None
    token_type: str | None = None

    @field_validator("expires_at")
    @classmethod
    def _reckonable(cls, moment: datetime | float | None) -> datetime | float | None:
        if isinstance(moment, datetime) and not 1970 <= moment.year <= 9998:
            raise ValueError("the year must lie between 1970 and 9998")
        return moment


class AccountInput(_Shape):
    """POST /publishing/accounts."""

    platform: Literal["youtube", "tiktok", "facebook", "instagram", "simulated"]
    external_id: Annotated[str, Field(min_length=1, max_length=200)]
    name: Annotated[str, Field(min_length=1, max_length=200)]
    auth_config: AuthConfig = Field(default_factory=AuthConfig)


class LinkInput(_Shape):
    """POST /dashboard/channels/{id}/accounts. The account may also be called ``platform_account_id``, as in a plan."""

    account_id: UUID = Field(validation_alias=AliasChoices("account_id", "platform_account_id"))
    role: Literal["primary", "secondary"] = "secondary"


class CaptionFile(_Shape):
    """A subtitle asset to be sent with the video; ``language`` is BCP 47."""

    asset_id: UUID
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
    name: str = Field("", max_length=150)


class TikTokOptions(_Shape):
    """What only TikTok is told. Everything starts off, as TikTok's rules for apps ask: the creator switches it on.

    ``discloses_commercial`` says that the video promotes something: the creator's own business (``your_brand``) or
    somebody else's (``branded_content``). ``consent`` is the creator's agreement to TikTok's Music Usage Confirmation
    (and, for branded content, its Branded Content Policy), without which nothing is posted.
    """

    allow_comments: bool = False
    allow_duet: bool = False
    allow_stitch: bool = False
    cover_at_seconds: float | None = Field(None, ge=0, le=36_000)
    discloses_commercial: bool = False
    your_brand: bool = False
    branded_content: bool = False
    consent: bool = False


class FacebookOptions(_Shape):
    """What only Facebook is told. ``surface`` None: a Reel where its rules take the video, otherwise a Page video."""

    surface: Literal["reel", "video"] | None = None


class InstagramOptions(_Shape):
    """What only Instagram is told."""

    share_to_feed: bool = True
    cover_at_seconds: float | None = Field(None, ge=0, le=36_000)


class PublicationOptions(_Shape):
    """What else a platform is told; what it does not know is left out. ``synthetic_media`` None means: as the marks of
    everything the video is made of say (SPEC I4). ``platform_clock`` lets a platform that can keep the time of a
    public post, sent ahead and private until then; False waits for the studio's own clock."""

    made_for_kids: bool = False
    synthetic_media: bool | None = None
    category_id: str = Field("22", pattern=r"^\d{1,4}$")
    notify_subscribers: bool = True
    language: str | None = Field(None, max_length=16)
    captions: list[CaptionFile] = Field(default_factory=list, max_length=40)
    playlist_id: str | None = Field(None, max_length=100)
    late_limit_minutes: int | None = Field(None, ge=1, le=10_080)
    platform_clock: bool = True
    tiktok: TikTokOptions = Field(default_factory=TikTokOptions)
    facebook: FacebookOptions = Field(default_factory=FacebookOptions)
    instagram: InstagramOptions = Field(default_factory=InstagramOptions)


class PublicationTarget(_Shape):
    """One account an episode goes to. ``scheduled_time`` is ``"now"``, an ISO 8601 time (without an offset: in
    ``timezone``, by default the channel's), or None for a draft. What is left out comes from the episode; a privacy
    left out is private where the platform has that, public on the simulated platform, where nobody is to be protected
    from a slip, and has to be chosen on TikTok."""

    platform_account_id: UUID
    scheduled_time: str | None = None
    timezone: str | None = None
    title: Title | None = None
    description: str | None = Field(None, max_length=20_000)
    tags: Tags | None = None
    privacy: Privacy | None = None
    asset_id: UUID | None = None
    thumbnail_asset_id: UUID | None = None
    options: PublicationOptions = Field(default_factory=PublicationOptions)


class PublicationPlanInput(_Shape):
    """POST /publishing/plan."""

    episode_id: UUID
    targets: list[PublicationTarget] = Field(min_length=1, max_length=20)


class RescheduleInput(_Shape):
    """POST /publishing/publication/{id}/reschedule. ``version`` refuses the change if somebody else came first."""

    scheduled_time: str
    timezone: str | None = None
    version: int | None = None


class ReviewInput(_Shape):
    """The user's answer for a publication in needs_review: it is there (with its id), or post it again."""

    answer: Literal["published", "again"]
    remote_id: str | None = Field(None, max_length=200)


class ChannelOut(_Shown):
    """A channel as shown."""

    id: UUID
    name: str
    description: str
    timezone: str
    currency: str
    language: str
    is_default: bool
    created_at: datetime


class SeriesOut(_Shown):
    """A series as shown."""

    id: UUID
    channel_id: UUID
    name: str
    description: str
    is_default: bool
    created_at: datetime


class EpisodeOut(_Shown):
    """An episode as shown. ``music`` is the song it is or has under it: asset_id and, as far as they are known,
    bpm, key and time_signature."""

    id: UUID
    channel_id: UUID
    series_id: UUID | None
    number: int | None
    title: str
    description: str
    tags: list[str]
    language: str | None
    state: str
    asset_id: UUID | None
    thumbnail_asset_id: UUID | None
    published_at: datetime | None
    music: dict[str, Any] | None = None
    created_at: datetime


class AccountOut(_Shown):
    """An account as shown: never its tokens."""

    id: UUID
    platform: str
    external_id: str
    name: str
    status: str
    status_reason: str
    is_simulated: bool
    scopes: list[str]
    token_expires_at: datetime | None
    created_at: datetime


class AttemptOut(_Shown):
    """One attempt, without its handle."""

    number: int
    step: str
    outcome: str
    bytes_sent: int
    bytes_total: int | None
    error_class: str | None
    error: dict[str, Any] | None
    started_at: datetime
    finished_at: datetime | None


class StepOut(_Shown):
    """One step after the upload."""

    name: str
    state: str
    tries: int
    error: dict[str, Any] | None


class PublicationOut(_Shown):
    """A publication as shown. Times are UTC; ``local_time`` is wall-clock time in ``timezone``."""

    id: UUID
    episode_id: UUID
    account_id: UUID
    platform: str
    is_simulated: bool
    state: str
    reason: str
    error: dict[str, Any] | None
    warnings: list[Any]
    version: int
    due_at: datetime | None
    local_time: str | None
    timezone: str
    time_note: str
    title: str
    description: str
    tags: list[str]
    privacy: str
    asset_id: UUID | None
    thumbnail_asset_id: UUID | None
    options: dict[str, Any]
    attempts: int
    progress: float
    platform_keeps_time: bool
    remote_publish_at: datetime | None
    withdraw: bool
    remote_id: str | None
    remote_url: str | None
    remote_privacy: str | None
    published_at: datetime | None
    last_checked_at: datetime | None
    created_at: datetime


class LateOut(_Shown):
    """A publication that has not started in time: by how much, and why (a message key under ``publishing.late``)."""

    seconds: int
    code: Literal["account_busy", "put_off", "waiting_worker", "not_dispatched"]
    until: datetime | None = None


class PublicationDetail(PublicationOut):
    """A publication with everything that was tried."""

    late: LateOut | None = None
    history: list[AttemptOut] = Field(default_factory=list)
    steps: list[StepOut] = Field(default_factory=list)
