"""What an upload of one gigabyte costs the server's memory, and how long it takes."""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
import time
import wave
from base64 import b64encode
from pathlib import Path

from tests.benchmark.studio import RunningStudio, running_studio

TITLE = "Uploads"
PIECE = 16 * 1024 * 1024
TUS = {"Tus-Resumable": "1.0.0"}


def make_recording(path: Path, size: int) -> str:
    """A WAV file of at least ``size`` bytes; answers its SHA-256."""
    second = os.urandom(4 * 48000)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(48000)
        for _ in range(size // len(second) + 1):
            file.writeframesraw(second)
    digest = hashlib.sha256()
    with path.open("rb") as recording:
        while piece := recording.read(PIECE):
            digest.update(piece)
    return digest.hexdigest()


class Peak:
    """The largest resident memory of the app, looked at a hundred times a second."""

    def __init__(self, studio: RunningStudio) -> None:
        self.before = self.bytes = studio.memory_bytes()
        self._studio = studio
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def _look(self) -> None:
        while not self._done.wait(0.01):
            self.bytes = max(self.bytes, self._studio.memory_bytes())

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    @property
    def growth(self) -> int:
        return self.bytes - self.before


def upload(studio: RunningStudio, path: Path) -> dict[str, object]:
    """Send a file as the page does and answer its asset."""
    size = path.stat().st_size
    metadata = {"Upload-Length": str(size), "Upload-Metadata": f"filename {b64encode(path.name.encode()).decode()}"}
    made = studio.client.post("/api/uploads", headers={**TUS, **metadata}).raise_for_status()
    where = made.headers["location"]
    offset = 0
    with path.open("rb") as file:
        while offset < size:
            headers = {**TUS, "Content-Type": "application/offset+octet-stream", "Upload-Offset": str(offset)}
            answer = studio.client.patch(where, headers=headers, content=file.read(PIECE)).raise_for_status()
            offset = int(answer.headers["upload-offset"])
    asset: dict[str, object] = studio.client.get(where + "/asset").raise_for_status().json()
    return asset


def run(quick: bool) -> str:
    size = 100_000_000 if quick else 1_000_000_000
    with tempfile.TemporaryDirectory(prefix="studio-bench-", dir="/tmp") as folder, running_studio() as studio:
        path = Path(folder) / "recording.wav"
        expected = make_recording(path, size)
        with Peak(studio) as peak:
            started = time.monotonic()
            asset = upload(studio, path)
            took = time.monotonic() - started
        if asset["sha256"] != expected:
            raise RuntimeError("the stored file differs from the one that was sent")
    return (
        "| figure | measured | goal |\n| --- | --- | --- |\n"
        f"| memory of the app's process while {size / 1e9:.1f} GB arrive: growth | {peak.growth / 1e6:.0f} MB "
        "| < 64 MB |\n"
        f"| the same upload in pieces of 16 MB, to the probed asset with its SHA-256 | {took:.1f} s "
        f"({size / 1e6 / took:.0f} MB/s) | |\n"
    )
