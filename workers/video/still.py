"""video.still: one picture of a video as an image of its own."""

from __future__ import annotations

from typing import Any

from core.errors import InvalidInput
from core.i18n import clock
from core.video.payloads import StillInput
from providers.video.filtergraph import HDR_TO_SDR
from providers.video.process import output_argument, run_ffmpeg, source_arguments
from workers.context import JobContext
from workers.registry import task
from workers.video.source import Source

LONGEST_SIDE = 1920


@task("video.still")
def still(context: JobContext, payload: StillInput) -> dict[str, Any]:
    """The frame that is on screen at ``at_seconds``, as a JPEG of at most 1920 pixels a side: some hundred kilobytes,
    which every platform takes (SPEC P2.1).

    Raises:
        InvalidInput: the video ends before that.
    """
    source = Source(context, payload.video_asset_id)
    length = source.info.duration_seconds
    if payload.at_seconds > length:
        raise InvalidInput("The video ends before that.", f"It is {clock(length)} long.")
    at = min(payload.at_seconds, length - 1 / float(source.info.fps))  # at its very end the last picture is shown
    path = context.folder / "still.jpg"
    longest = min(LONGEST_SIDE, max(source.info.width, source.info.height))
    fit = f"scale={longest}:{longest}:force_original_aspect_ratio=decrease:force_divisible_by=2,setsar=1"
    if source.info.hdr:
        fit = f"{HDR_TO_SDR},{fit}"
    if not source.info.square_pixels:
        fit = f"scale={source.info.width}:{source.info.height},{fit}"
    run_ffmpeg(
        [
            *source_arguments(source.path, "-ss", f"{max(at, 0.0):.6f}", "-an"), "-frames:v", "1", "-vf", fit,
            "-q:v", "3", "-f", "image2", "-update", "1", output_argument(path),
        ],
        progress=context.progress,
        stage="stage.watch",
    )  # fmt: skip
    name = source.asset.name.rsplit(".", 1)[0]
    made = context.stage_asset(
        path,
        kind="image",
        name=f"{name} {clock(payload.at_seconds).replace(':', '.')}.jpg",
        parents={source.asset.id: "still"},
        metadata={"at_seconds": payload.at_seconds},
        licence=source.asset.licence,
        ai_generated=source.asset.ai_generated,
    )
    return {"asset_ids": [made.asset_id], "outputs": [{"asset_id": made.asset_id}]}
