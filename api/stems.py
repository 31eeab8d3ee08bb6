"""Stems over HTTP (M2, H3): separate a song, mix its stems or any other sounds."""

from __future__ import annotations

from fastapi import APIRouter

from api import references
from api.dependencies import Editor, Starting
from api.shapes import Accepted
from core import jobs
from core.music import stems
from core.music.separation import require_ready
from core.music.stem_payloads import MixInput, StemsInput

router = APIRouter(tags=["music"])


@router.post("/audio/stems", status_code=202)
def separate(session: Starting, actor: Editor, order: StemsInput) -> Accepted:
    """Separate a sound into vocal, drums, bass and other. The job's result is `stem_group_id` and `stems`, an asset for
    each name. A provider that cannot work is refused (503) with what it lacks."""
    references.sound(session, order.audio_asset_id)
    require_ready(order.provider)
    return Accepted(job_id=jobs.submit(session, actor, "audio.stems", order).id)


@router.post("/audio/mix", status_code=202)
def mix(session: Starting, actor: Editor, order: MixInput) -> Accepted:
    """Mix a stem group, or `tracks` with a level each, into a new sound; the job's result is its `audio_asset_id`."""
    stems.tracks_of(session, order)
    return Accepted(job_id=jobs.submit(session, actor, "audio.mix", order).id)
