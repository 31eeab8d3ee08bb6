"""The real studio in the real browser: app.py on a free port with a fresh data folder, driven by Playwright."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
SHOTS = ROOT / "test-output" / "browser"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]
START_SECONDS = 120


@dataclass(frozen=True)
class Studio:
    """A running studio."""

    address: str
    data: Path


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(folder: Path, port: int, log: Path, settings: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """app.py as a user starts it, with its embedded services and workers; returns once it answers."""
    environment = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")} | {
        "STUDIO_DATA": str(folder),
        "STUDIO_PORT": str(port),
        **(settings or {}),
    }
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=output, stderr=output)
    try:
        _wait_until_healthy(f"http://127.0.0.1:{port}", process, log)
    except BaseException:
        stop(process)
        raise
    return process


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a studio as Ctrl-C in a service manager does."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()


@contextmanager
def data_folder() -> Iterator[Path]:
    """A folder for a studio's data, short enough for its sockets."""
    folder = Path(tempfile.mkdtemp(prefix="walk-", dir="/tmp" if Path("/tmp").is_dir() else None))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="package")
def running_studio() -> Iterator[Studio]:
    """The studio that the tests walk through, one after the other."""
    log = (SHOTS.parent / "studio.log").resolve()
    log.unlink(missing_ok=True)
    with data_folder() as folder:
        port = free_port()
        process = start(folder, port, log)
        yield Studio(f"http://127.0.0.1:{port}", folder)
        stop(process)


def _wait_until_healthy(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"the studio ended at its start:\n{log.read_text()[-3000:]}")
        try:
            with urllib.request.urlopen(f"{address}/api/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    pytest.fail(f"the studio did not answer:\n{log.read_text()[-3000:]}")


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The machine's own Chromium."""
    program = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if program is None:
        pytest.fail("no Chromium on this machine; run make test, or install it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


class Walker:
    """A browser window with its complaints collected and its pictures kept."""

    def __init__(self, context: BrowserContext, studio: Studio, name: str) -> None:
        self.studio, self.name = studio, name
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("requestfailed", self._failed)

    def _failed(self, request: object) -> None:
        address = str(getattr(request, "url", ""))
        # A blob that the page itself made is of its own origin; it fails when the page is left before it was read.
        if not address.removeprefix("blob:").startswith(self.studio.address):
            self.complaints.append(f"asked another server: {address}")

    def open(self, path: str = "") -> None:
        """Open a page and wait until it is drawn."""
        self.page.goto(f"{self.studio.address}/{path}")
        self.settle()

    def settle(self) -> None:
        """Wait until Streamlit has drawn the page and rests."""
        self.page.wait_for_selector("h1", timeout=60_000)
        self.page.wait_for_function(
            '() => !document.querySelector(\'[data-testid="stStatusWidget"], [data-testid="stSkeleton"]\')'
            " && document.querySelector('[data-test-script-state]')?.dataset.testScriptState !== 'running'",
            timeout=60_000,
        )
        self.page.wait_for_timeout(600)

    def shot(self, name: str) -> None:
        """Keep a picture of the whole page."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        height = self.page.evaluate(
            "() => Math.max(innerHeight, ...[...document.querySelectorAll('section, [data-testid=stMain]')]"
            ".map(one => one.scrollHeight))"
        )
        size = self.page.viewport_size
        assert size is not None
        self.page.set_viewport_size({"width": size["width"], "height": min(int(height), 4000)})
        self.page.wait_for_timeout(300)
        self.page.screenshot(path=SHOTS / f"{self.name}-{name}.png")
        self.page.set_viewport_size(size)

    def no_sideways_scroll(self) -> None:
        """Nothing of the page is wider than the window."""
        wide = self.page.evaluate(
            """() => [document.documentElement, document.querySelector('[data-testid="stMain"]')]
                 .filter(one => one && one.scrollWidth > one.clientWidth + 1).map(one => one.tagName)"""
        )
        assert not wide, f"wider than the window: {wide}"
