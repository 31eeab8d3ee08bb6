"""Finished sound over HTTP (M5, M7, H3): remaster a recording, put a podcast episode together."""

from __future__ import annotations

from fastapi import APIRouter

from api import references
from api.dependencies import Editor, Starting
from api.shapes import Accepted
from core import jobs
from core.music.podcast_payloads import PodcastInput
from core.music.remaster_payloads import Match, RemasterInput

router = APIRouter(tags=["music"])


@router.post("/audio/remaster", status_code=202)
def remaster(session: Starting, actor: Editor, order: RemasterInput) -> Accepted:
    """Remaster a sound, or the sound of a video: noise and room out, colour, width, loudness, or towards a reference.
    The job's result is its `audio_asset_id` with the loudness `before` and `after`."""
    references.sound(session, order.audio_asset_id)
    for operation in order.operations:
        if isinstance(operation, Match):
            references.sound(session, operation.reference_asset_id)
    return Accepted(job_id=jobs.submit(session, actor, "audio.remaster", order).id)


@router.post("/audio/podcast", status_code=202)
def podcast(session: Starting, actor: Editor, order: PodcastInput) -> Accepted:
    """Put an episode together of voices, music and ads. The job's result is its `audio_asset_id`, the feed's item as
    `document_asset_id`, the `chapters` (also as JSON: `chapters_asset_id`) and where each track stands."""
    for track in order.tracks:
        references.sound(session, track.asset_id)
    if order.cover_asset_id is not None:
        references.picture(session, order.cover_asset_id)
    return Accepted(job_id=jobs.submit(session, actor, "audio.podcast", order).id)
