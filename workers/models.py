"""Downloads of models, as jobs: progress, cancel and resume come with them (SPEC S2)."""

from __future__ import annotations

from typing import Any

from core.music.payloads import ModelDownloadInput
from core.progress import part
from providers.speech import models
from workers.context import JobContext
from workers.registry import task


@task("models.download")
def download_model(context: JobContext, payload: ModelDownloadInput) -> dict[str, Any]:
    """Fetch one speech model; what an interrupted attempt has received is kept and continued."""
    models.download(payload.name, progress=part(context.progress, 0.0, 0.99, "stage.download"))
    return {"model": payload.name}
