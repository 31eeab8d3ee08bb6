"""video.multi_export: one source, whole, in several shapes, in one decode."""

from __future__ import annotations

from typing import Any

from core.progress import part
from core.video.payloads import AutoReframe, MultiExportInput
from core.video.plan import Measured, plan
from core.video.sizes import resolve_targets
from workers.context import JobContext
from workers.registry import task
from workers.video.edit import announce, reframed
from workers.video.outputs import render_outputs
from workers.video.source import Source


@task("video.multi_export")
def multi_export(context: JobContext, payload: MultiExportInput) -> dict[str, Any]:
    """The whole recording in every wanted shape, following the face where the picture gets narrower (SPEC V5)."""
    source = Source(context, payload.source_video_id)
    name = source.asset.name.rsplit(".", 1)[0]
    facts = source.facts(part(context.progress, 0.0, 0.02))
    targets = resolve_targets(payload.target_outputs, facts.width, facts.height)
    timeline = reframed(
        source, facts, plan(facts, (), Measured()), targets, (), AutoReframe(), part(context.progress, 0.02, 0.2)
    )
    finished = render_outputs(
        context, source, timeline, targets, None, name=name, progress=part(context.progress, 0.2, 0.98)
    )
    language = str(source.asset.details.get("language") or "")
    return {"outputs": announce(context, finished, title=name, language=language)}
