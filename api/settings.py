"""Preferences of the user, the studio's sealed keys, and its limits (S2); which engines are ready (V1.5)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.dependencies import CurrentActor, Scoped, Starting, StudioOwner
from api.shapes import Accepted
from core import jobs, speech
from core.assets import disk_used
from core.errors import InvalidInput
from core.music.generation import MUSICGEN_SMALL
from core.music.payloads import ModelDownloadInput
from core.music.separation import HTDEMUCS
from core.preferences import preferences_of, set_preferences, store_value, stored_names
from core.security import Actor
from core.settings import get_settings
from core.storage import storage
from core.translation import M2M100
from core.voices import PIPER
from providers.registry import providers

router = APIRouter(tags=["settings"])


class Limits(BaseModel):
    """What the process was started with; changed by environment variables, see the README's table."""

    max_upload_bytes: int
    min_free_bytes: int
    media_workers: int
    job_time_limit_seconds: int


class Disk(BaseModel):
    """Bytes used by the library, and free."""

    used_bytes: int
    free_bytes: int


class SettingsOut(BaseModel):
    """``keys`` names the stored secrets; their values are never shown."""

    language: str
    timezone: str
    currency: str
    chosen: bool
    keys: list[str]
    values: list[str]
    limits: Limits
    disk: Disk


class ProviderOut(BaseModel):
    """An engine or a service; ``keys`` names the stored secrets it uses."""

    name: str
    kind: str
    title: str
    ready: bool
    reason: str
    licence: str
    keys: list[str]
    simulated: bool
    details: dict[str, Any]


class SettingsChange(BaseModel):
    """What to change; what is not named stays. An empty key is removed."""

    model_config = ConfigDict(extra="forbid")

    language: Annotated[str, StringConstraints(max_length=8)] | None = None
    timezone: Annotated[str, StringConstraints(max_length=64)] | None = None
    currency: Annotated[str, StringConstraints(max_length=3)] | None = None
    keys: dict[str, Annotated[str, StringConstraints(max_length=8192)]] = Field(default_factory=dict, max_length=50)


@router.get("/settings")
def settings(session: Scoped, actor: CurrentActor) -> SettingsOut:
    """The user's preferences, the names of the studio's keys, limits and disk."""
    return _settings(session, actor)


@router.put("/settings")
def change_settings(session: Scoped, actor: CurrentActor, change: SettingsChange) -> SettingsOut:
    """Change preferences (everybody their own) and keys (owners): those that ``GET /providers`` names."""
    set_preferences(session, actor, language=change.language, timezone=change.timezone, currency=change.currency)
    used = {name for info in providers(session, actor.owner_id) for name in info.keys} if change.keys else set()
    for name, value in change.keys.items():
        if value and name not in used:
            actor.require("owner")
            raise InvalidInput("Nothing in the studio uses this key.", name.encode("ascii", "replace").decode()[:80])
        store_value(session, actor, name, value, secret=True)
    session.flush()
    return _settings(session, actor)


def _settings(session: Scoped, actor: Actor) -> SettingsOut:
    process = get_settings()
    preferences = preferences_of(session, actor)
    names = stored_names(session)
    return SettingsOut(
        language=preferences.language,
        timezone=preferences.timezone,
        currency=preferences.currency,
        chosen=preferences.chosen,
        keys=sorted(name for name, secret in names.items() if secret),
        values=sorted(name for name, secret in names.items() if not secret),
        limits=Limits(
            max_upload_bytes=process.max_upload_bytes,
            min_free_bytes=process.min_free_bytes,
            media_workers=process.media_workers,
            job_time_limit_seconds=process.job_time_limit,
        ),
        disk=Disk(used_bytes=disk_used(session), free_bytes=storage().free_bytes()),
    )


@router.get("/providers")
def list_providers(session: Scoped, actor: CurrentActor) -> list[ProviderOut]:
    """Every engine and service, ready or why not, in the user's language."""
    language = preferences_of(session, actor).language
    return [ProviderOut.model_validate(info.as_dict(language)) for info in providers(session, actor.owner_id)]


@router.post("/settings/models", status_code=202)
def download_model(session: Starting, actor: StudioOwner, order: ModelDownloadInput) -> Accepted:
    """Download a speech model of the catalogue, a voice, the translation model, or the weights of Demucs or MusicGen;
    its progress is the job's."""
    if order.name not in (HTDEMUCS.name, MUSICGEN_SMALL.name, M2M100.name, *PIPER):
        speech.model_of(order.name)
    return Accepted(job_id=jobs.submit(session, actor, "models.download", order).id)
