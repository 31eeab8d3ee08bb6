"""An upload outlives the studio: killed at sixty per cent, started again, the page goes on by itself (H8, S3)."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import urllib.request
from pathlib import Path

import imageio_ffmpeg
from playwright.sync_api import Browser

from core.i18n import t
from tests.browser.conftest import SHOTS, Studio, Walker, data_folder, free_port, start, stop
from tests.browser.line import HeldLine


def recording(path: Path) -> Path:
    """A playable file of about forty megabytes: noise does not compress."""
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "lavfi",
        "-i", "nullsrc=s=640x360:r=25:d=8,geq=lum='random(1)*255':cb=128:cr=128", "-c:v", "libx264",
        "-preset", "ultrafast", "-qp", "4", "-g", "25", str(path),
    ]  # fmt: skip
    subprocess.run(command, check=True, timeout=120)
    assert path.stat().st_size > 24_000_000
    return path


def test_the_page_finishes_an_upload_that_a_kill_interrupted(chromium: Browser, tmp_path: Path) -> None:
    clip = recording(tmp_path / "long talk.mp4")
    size = clip.stat().st_size
    log = (SHOTS.parent / "studio-upload.log").resolve()
    log.unlink(missing_ok=True)
    with data_folder() as folder:
        port = free_port()
        # The pages themselves go over the same line, in a few hundred kilobytes.
        line = HeldLine(port, hold_after=size * 6 // 10 + 1_000_000)
        process = start(folder, port, log)
        context = chromium.new_context(viewport={"width": 1280, "height": 900}, locale="en-US")
        try:
            walker = Walker(context, Studio(f"http://127.0.0.1:{line.port}", folder), "upload")
            page = walker.page
            walker.open()
            page.get_by_role("button", name=t("home.start", "en")).click()
            page.wait_for_selector(".studio-upload .zone", timeout=60_000)
            page.locator(".studio-upload input[type=file]").first.set_input_files(clip)
            assert line.held.wait(120)
            walker.shot("at-sixty")
            os.kill(process.pid, signal.SIGKILL)
            process.wait(30)
            line.open()
            page.get_by_text(t("upload.waiting", "en")).first.wait_for(timeout=60_000)
            walker.shot("killed")
            process = start(folder, port, log)
            page.wait_for_url("**/video?project=*", timeout=120_000)
            walker.settle()
            walker.shot("finished")
            token = (folder / "api-token").read_text().strip()
            request = urllib.request.Request(
                f"http://127.0.0.1:{port}/api/assets?limit=5", headers={"Authorization": f"Bearer {token}"}
            )
            with urllib.request.urlopen(request, timeout=30) as answer:
                hashes = [row["sha256"] for row in json.load(answer)]
            assert hashes == [hashlib.sha256(clip.read_bytes()).hexdigest()]
        finally:
            context.close()
            stop(process)
            line.close()
