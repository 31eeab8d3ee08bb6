"""How long until the first page, cold (empty data folder) and warm, and what the app has loaded by then."""

from __future__ import annotations

import shutil
import statistics
import tempfile
from pathlib import Path

from tests.benchmark.studio import RunningStudio, running_studio

TITLE = "First page"
ENGINES = ("torch", "librosa", "ctranslate2", "music21", "onnxruntime", "faster_whisper")


def loaded_engines(studio: RunningStudio) -> list[str]:
    """Engines whose libraries are mapped into the app's process."""
    maps = Path(f"/proc/{studio.process.pid}/maps").read_text()
    return [name for name in ENGINES if f"/{name}" in maps]


def run(quick: bool) -> str:
    folder = Path(tempfile.mkdtemp(prefix="studio-bench-", dir="/tmp"))
    try:
        with running_studio(folder) as studio:
            cold = studio.started_seconds
        warm = []
        for _ in range(2 if quick else 5):
            with running_studio(folder) as studio:
                for page in ("video", "library", "jobs", "publishing", "business", "advisor", "settings", "music"):
                    studio.client.get(f"/{page}")
                engines = loaded_engines(studio)
                memory = studio.memory_bytes()
                warm.append(studio.started_seconds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return (
        "| figure | measured | goal |\n| --- | --- | --- |\n"
        f"| first start (database is created) | {cold:.1f} s | |\n"
        f"| warm start to the first page's HTML, median of {len(warm)} | {statistics.median(warm):.1f} s | ≤ 5 s |\n"
        f"| engines loaded in the app's process | {', '.join(engines) or 'none'} | none |\n"
        f"| memory of the app's process | {memory / 2**20:.0f} MB | |\n"
    )
