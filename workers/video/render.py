"""video.render: a stored timeline exactly as its user left it."""

from __future__ import annotations

from typing import Any

from core.progress import part
from core.video.payloads import AutoReframe, RenderTimelineInput
from core.video.sizes import resolve_targets
from workers.context import JobContext
from workers.registry import task
from workers.video import timelines
from workers.video.edit import announce, reframed
from workers.video.music import music_of
from workers.video.outputs import render_outputs
from workers.video.source import Source


@task("video.render")
def render_timeline(context: JobContext, payload: RenderTimelineInput) -> dict[str, Any]:
    """Render a stored timeline for every target; shapes it has no crop for follow the face (SPEC V2.9, H2)."""
    timeline, name = timelines.load(context, payload.timeline_id)
    source = Source(context, timeline.source_asset_id)
    name = name or source.asset.name.rsplit(".", 1)[0]
    facts = source.facts(part(context.progress, 0.0, 0.02))
    targets = resolve_targets(payload.target_outputs, facts.width, facts.height)
    missing = [target for target in targets if target.aspect_ratio not in timeline.crops]
    timeline = reframed(source, facts, timeline, missing, (), AutoReframe(), part(context.progress, 0.02, 0.2))
    music = music_of(context, timeline.music.asset_id) if timeline.music else None
    finished = render_outputs(
        context, source, timeline, targets, music, name=name, progress=part(context.progress, 0.2, 0.98)
    )
    return {
        "timeline": timelines.result_of(timeline, payload.timeline_id),
        "timeline_id": str(payload.timeline_id),
        "outputs": announce(context, finished, title=name, language=timeline.language),
    }
