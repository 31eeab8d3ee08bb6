"""Finished sound over HTTP (M5, M7, H3): remaster a recording, put a podcast episode together."""

from __future__ import annotations

from fastapi import APIRouter

from api import references
from api.dependencies import Editor, Starting
from api.shapes import Accepted
from core import jobs
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
