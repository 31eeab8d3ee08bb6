"""Twenty shorts out of an hour of 720p talk, through the running studio: everything from the click to the last file."""

from __future__ import annotations

from typing import Any

from tests.benchmark.hour import recording
from tests.benchmark.studio import RunningStudio, running_studio

TITLE = "Twenty shorts from an hour"
CHUNK = 16 * 1024 * 1024


def upload(studio: RunningStudio, path: Any) -> str:
    """Upload a file and wait until it is prepared; returns the asset's id."""
    with path.open("rb") as file:
        answer = studio.client.post("/api/assets", files={"file": (path.name, file, "video/mp4")}, timeout=600)
    asset = answer.raise_for_status().json()
    for job in studio.client.get("/api/jobs", params={"kind": "ingest"}).raise_for_status().json():
        studio.wait_for(job["id"])
    return str(asset["id"])


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
    from datetime import datetime

    started, ended = (datetime.fromisoformat(job[name]) for name in ("started_at", "finished_at"))
    return (ended - started).total_seconds()


def run(quick: bool) -> str:
    minutes, count = (4, 3) if quick else (60, 20)
    path = recording(minutes)
    rows = []
    with running_studio() as studio:
        asset_id = upload(studio, path)
        for resolution, goal in (("720p", "≤ 10 min" if not quick else ""), ("1080p", "")):
            job = make(studio, asset_id, resolution, count)
            outputs = job["result"]["outputs"]
            length = sum(output["end"] - output["start"] for output in outputs)
            analysis = "with analysis" if resolution == "720p" else "analysis kept from the run above"
            size = f"{outputs[0]['width']}×{outputs[0]['height']}" if "width" in outputs[0] else resolution
            rows.append(
                f"| {len(outputs)} shorts, {size}, {length:.0f} s in all, {analysis} | "
                f"{seconds_of(job) / 60:.1f} min | {goal} |"
            )
    head = f"Source: {minutes} minutes of talk, 1280×720, one job on the studio's one media worker.\n\n"
    return head + "| work | wall time | goal |\n| --- | --- | --- |\n" + "\n".join(rows) + "\n"
