"""Twenty shorts out of an hour of 720p talk, through the running studio: everything from the click to the last file."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from tests.benchmark.hour import recording
from tests.benchmark.studio import RunningStudio, running_studio

TITLE = "Twenty shorts from an hour"


def upload(studio: RunningStudio, path: Any) -> tuple[str, float, float]:
    """Upload a file and wait until it is prepared; the asset's id, seconds of the upload and of the preparation."""
    began = time.monotonic()
    with path.open("rb") as file:
        answer = studio.client.post("/api/assets", files={"file": (path.name, file, "video/mp4")}, timeout=600)
    asset = answer.raise_for_status().json()
    arrived = time.monotonic()
    for job in studio.client.get("/api/jobs", params={"kind": "ingest"}).raise_for_status().json():
        studio.wait_for(job["id"])
    return str(asset["id"]), arrived - began, time.monotonic() - arrived


def make(studio: RunningStudio, asset_id: str, resolution: str, count: int) -> dict[str, Any]:
    """Make shorts and return the finished job."""
    answer = studio.client.post(
        "/api/video/shorts",
        json={
            "source_video_id": asset_id,
            "count": count,
            "min_seconds": 26,
            "max_seconds": 34,
            "aspect_ratio": "9:16",
            "resolution": resolution,
            "style": "tiktok",
            "language": "en",
        },
    )
    return studio.wait_for(answer.raise_for_status().json()["job_id"], 3600)


def seconds_of(job: dict[str, Any]) -> float:
    started, ended = (datetime.fromisoformat(job[name]) for name in ("started_at", "finished_at"))
    return (ended - started).total_seconds()


def run(quick: bool) -> str:
    minutes, count = (4, 3) if quick else (60, 20)
    path = recording(minutes)
    rows = []
    with running_studio() as studio:
        asset_id, uploading, preparing = upload(studio, path)
        # The second run finds the analysis of the first, so it shows what rendering alone takes; half of it is enough.
        for resolution, number, goal in (("720p", count, "≤ 10 min"), ("1080p", (count + 1) // 2, "")):
            job = make(studio, asset_id, resolution, number)
            outputs = job["result"]["outputs"]
            length = sum(output["end"] - output["start"] for output in outputs)
            analysis = "all analysis included" if resolution == "720p" else "analysis kept from the run above"
            rows.append(
                f"| {len(outputs)} shorts, {outputs[0]['width']}×{outputs[0]['height']}, {length:.0f} s in all, "
                f"{analysis} | {seconds_of(job) / 60:.1f} min | {goal if not quick else ''} |"
            )
    size = path.stat().st_size
    head = (
        f"Source: {minutes} minutes of talk, 1280×720, {size / 1e9:.1f} GB, one job on the studio's one media worker. "
        f"Before it, and not in the figures below: the upload took {uploading:.0f} s, its preparation for the pages "
        f"{preparing:.0f} s.\n\n"
    )
    return head + "| work | wall time | goal |\n| --- | --- | --- |\n" + "\n".join(rows) + "\n"
