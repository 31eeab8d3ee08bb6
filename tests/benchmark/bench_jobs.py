"""How fast a submitted job starts and a cancelled one ends, and what watching twenty jobs costs the server."""

from __future__ import annotations

import io
import statistics
import struct
import threading
import time
import wave
from datetime import datetime

import httpx

from tests.benchmark.studio import RunningStudio, running_studio

TITLE = "Jobs"
WATCHERS = 20


def start_delays(studio: RunningStudio, asset_id: str, count: int) -> list[float]:
    """Milliseconds from a job's creation to its start, by the database's row, one job at a time."""
    delays = []
    for _ in range(count):
        answer = studio.client.post("/api/music/analyze", json={"audio_asset_id": asset_id, "tasks": ["loudness"]})
        job = studio.wait_for(answer.raise_for_status().json()["job_id"])
        created, started = (datetime.fromisoformat(str(job[name])) for name in ("created_at", "started_at"))
        delays.append((started - created).total_seconds() * 1000)
    return delays


def cancel_delays(studio: RunningStudio, count: int) -> list[float]:
    """Seconds from asking a working job to stop until it says so, polled fifty times a second."""
    delays = []
    for _ in range(count):
        job_id = studio.client.post("/api/video/sample").raise_for_status().json()["job_id"]
        status = ""
        while status != "running":
            job = studio.client.get(f"/api/jobs/{job_id}").json()
            status = job["status"] if job["progress"] > 0 else ""
            time.sleep(0.05)
        asked = time.monotonic()
        studio.client.post(f"/api/jobs/{job_id}/cancel").raise_for_status()
        while studio.client.get(f"/api/jobs/{job_id}").json()["status"] != "cancelled":
            time.sleep(0.02)
        delays.append(time.monotonic() - asked)
    return delays


def watching_share(studio: RunningStudio, seconds: float) -> tuple[float, float]:
    """Share of one core the app uses while twenty event streams stay open: idle, and while a job reports."""
    stop = threading.Event()

    def watch() -> None:
        with httpx.Client(base_url=studio.url, headers=studio.client.headers, timeout=None) as client:
            with client.stream("GET", "/api/events") as stream:
                for _line in stream.iter_lines():
                    if stop.is_set():
                        return

    threads = [threading.Thread(target=watch, daemon=True) for _ in range(WATCHERS)]
    for thread in threads:
        thread.start()
    time.sleep(2)
    shares = []
    for busy in (False, True):
        if busy:
            studio.client.post("/api/video/sample").raise_for_status()
        before, began = studio.cpu_seconds(), time.monotonic()
        time.sleep(seconds)
        shares.append((studio.cpu_seconds() - before) / (time.monotonic() - began))
    stop.set()
    return shares[0], shares[1]


def run(quick: bool) -> str:
    tone = io.BytesIO()
    with wave.open(tone, "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(b"".join(struct.pack("<h", (n * 440 % 16000) - 8000) for n in range(16000 * 4)))
    with running_studio() as studio:
        upload = studio.client.post("/api/assets", files={"file": ("tone.wav", tone.getvalue(), "audio/wav")})
        asset_id = upload.raise_for_status().json()["id"]
        time.sleep(5)
        delays = start_delays(studio, asset_id, 3 if quick else 15)
        cancelled = cancel_delays(studio, 3 if quick else 9)
        idle, busy = watching_share(studio, 5 if quick else 20)
    return (
        "| figure | measured | goal |\n| --- | --- | --- |\n"
        f"| submit → running, median of {len(delays)} | {statistics.median(delays):.0f} ms | ≤ 150 ms |\n"
        f"| cancel → ended, slowest of {len(cancelled)} | {max(cancelled):.2f} s | ≤ 2 s |\n"
        f"| {WATCHERS} open event streams, nothing runs | {idle:.1%} of a core | |\n"
        f"| {WATCHERS} open event streams, a job reports four times a second | {busy:.1%} of a core | < 5 % |\n"
    )
