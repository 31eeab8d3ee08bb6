"""Downloads of models, as jobs: progress, cancel and resume come with them (SPEC S2)."""

from __future__ import annotations

from typing import Any

from core import translation
from core.music.generation import MUSICGEN_SMALL
from core.music.payloads import ModelDownloadInput
from core.music.separation import HTDEMUCS, model_folder, model_installed
from core.progress import part
from core.translation import M2M100
from core.voices import PIPER, folder_name, model_path
from providers.speech import models
from workers.context import JobContext
from workers.registry import task


@task("models.download")
def download_model(context: JobContext, payload: ModelDownloadInput) -> dict[str, Any]:
    """Fetch one model; what an interrupted attempt has received is kept and continued."""
    progress = part(context.progress, 0.0, 0.99, "stage.download")
    weights = next((one for one in (HTDEMUCS, MUSICGEN_SMALL) if one.name == payload.name), None)
    if weights is not None:
        if not model_installed(weights):
            folder = model_folder(weights).name
            models.fetch_files(folder, weights.repository, weights.files, weights.size_bytes, progress=progress)
    elif payload.name in PIPER:
        if model_path(payload.name) is None:
            voice = PIPER[payload.name]
            models.fetch_files(folder_name(voice), voice.repository, voice.files, voice.size_bytes, progress=progress)
    elif payload.name == M2M100.name:
        if not translation.model_installed():
            folder = translation.model_folder().name
            models.fetch_files(folder, M2M100.repository, M2M100.files, M2M100.size_bytes, progress=progress)
    else:
        models.download(payload.name, progress=progress)
    return {"model": payload.name}
