"""How long until the first page, cold (empty data folder) and warm, and what the app has loaded once all were seen."""

from __future__ import annotations

import re
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from tests.benchmark.studio import running_studio

TITLE = "First page"
ENGINES = ("torch", "librosa", "ctranslate2", "music21", "onnxruntime", "faster_whisper", "scipy", "cv2")
PAGES = ("", "video", "music", "library", "jobs", "publishing", "business", "advisor", "settings")
IMPORTED = re.compile(r"^import time: +\d+ \| +\d+ \| +(\w+)", re.MULTILINE)


def imported(folder: Path) -> tuple[list[str], int]:
    """Engines that the app's own process imported while every page was opened, and its memory then in bytes."""
    with running_studio(folder, options=("-X", "importtime")) as studio:
        for page in PAGES:
            if not studio.open_page(page):
                raise RuntimeError(f"page {page!r} came without any text")
        memory = studio.memory_bytes()
    # The interpreter's option is not passed on, so what the log lists was imported by the app itself.
    names = set(IMPORTED.findall((folder / "app.log").read_text()))
    if "streamlit" not in names:
        raise RuntimeError("the list of imported modules is missing")
    return [name for name in ENGINES if name in names], memory


def run(quick: bool) -> str:
    folder = Path(tempfile.mkdtemp(prefix="studio-bench-", dir="/tmp"))
    pages, shown = [], []
    try:
        with running_studio(folder) as studio:
            cold = studio.started_seconds
        for _ in range(2 if quick else 5):
            with running_studio(folder) as studio:
                began = time.monotonic()
                studio.open_page()
                pages.append(studio.started_seconds)
                shown.append(studio.started_seconds + time.monotonic() - began)
        engines, memory = imported(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return (
        "| figure | measured | goal |\n| --- | --- | --- |\n"
        f"| first start (database is created) to the first page | {cold:.1f} s | |\n"
        f"| warm start to the first page, median of {len(pages)} | {statistics.median(pages):.1f} s | ≤ 5 s |\n"
        f"| the same until everything on it has arrived (the page's script has run) | {statistics.median(shown):.1f} s "
        "| ≤ 5 s |\n"
        f"| engines imported by the app when all {len(PAGES)} pages were opened ({', '.join(ENGINES)}) | "
        f"{', '.join(engines) or 'none'} | none |\n"
        f"| memory of the app's process then | {memory / 2**20:.0f} MB | |\n"
    )
