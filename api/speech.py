"""Voice-over over HTTP (M8, H3)."""

from __future__ import annotations

from fastapi import APIRouter

from api.dependencies import Editor, Starting
from api.shapes import Accepted
from core import jobs, voices
from core.music.speech_payloads import SpeechInput
from core.narration import lines_of
from core.preferences import stored_names
from core.speech import HOSTED_KEY

router = APIRouter(tags=["music"])


@router.post("/audio/speech", status_code=202)
def speak(session: Starting, actor: Editor, order: SpeechInput) -> Accepted:
    """Speak a text; the job's result is its `audio_asset_id`, and the asset's metadata tell where each sentence sounds.
    A voice that does not know the text's language is refused; no other takes its place."""
    lines_of(order.text)
    voices.choose(order.text, order.language, order.voice, hosted=HOSTED_KEY in stored_names(session))
    return Accepted(job_id=jobs.submit(session, actor, "audio.speech", order).id)
