"""A song becomes a tab that is read and heard on the page, on a desktop and on a phone (M4.3)."""

from __future__ import annotations

import json
import time
import urllib.request
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, expect

from core.i18n import t
from tests.browser.conftest import Studio, Walker
from tests.engine.plucked import fingerpicked

WORK = 180_000
# Where the tab's cursor stands; components live behind a root of their own.
CURSOR = """() => {
  const roots = [...document.querySelectorAll("*")].map((node) => node.shadowRoot).filter(Boolean);
  const box = roots.map((root) => root.querySelector(".at-cursor-beat")).find(Boolean).getBoundingClientRect();
  return `${box.x} ${box.y}`;
}"""


class Api:
    """The studio over HTTP, as its owner."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._token = (studio.data / "api-token").read_text().strip()

    def ask(self, path: str, body: bytes | None = None, kind: str = "application/json") -> Any:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": kind}
        request = urllib.request.Request(f"{self._studio.address}/api{path}", data=body, headers=headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def upload(self, path: Path) -> str:
        head = f'--x\r\nContent-Disposition: form-data; name="file"; filename="{path.name}"\r\n\r\n'.encode()
        body = head + path.read_bytes() + b"\r\n--x--\r\n"
        return str(self.ask("/assets", body, "multipart/form-data; boundary=x")["id"])

    def finish(self, path: str, order: dict[str, Any]) -> None:
        job = self.ask(path, json.dumps(order).encode())["job_id"]
        deadline = time.monotonic() + WORK / 1000
        while (state := self.ask(f"/jobs/{job}"))["status"] in ("queued", "running"):
            assert time.monotonic() < deadline, state
            time.sleep(0.3)
        assert state["status"] == "succeeded", state


def test_a_tab_is_read_and_heard(chromium: Browser, running_studio: Studio, tmp_path: Path) -> None:
    api = Api(running_studio)
    song = api.upload(fingerpicked(tmp_path).path)
    api.finish("/music/tab", {"audio_asset_id": song, "difficulty": "original", "formats": ["gp5"]})
    (written,) = api.ask(f"/music/tab/{song}")
    lang = api.ask("/settings")["language"]  # another walk through the same studio may have left it in Thai
    chord = next(mark["played"] for mark in written["tab"]["chords"] if mark["played"] != "N")
    for name, width in (("desktop", 1280), ("phone", 390)):
        context = chromium.new_context(viewport={"width": width, "height": 850}, locale="en-US")
        walker = Walker(context, running_studio, f"tab-{name}")
        walker.open(f"music?asset={song}")
        page = walker.page
        play = page.locator(".studio-tab").get_by_role("button", name=t("tab.play", lang))
        expect(play).to_be_enabled(timeout=WORK)
        # It is drawn when somebody comes to it.
        page.locator(".studio-tab .sheet").evaluate("sheet => sheet.scrollIntoView()")
        expect(page.locator(".studio-tab .at-surface-svg").first).to_be_visible(timeout=WORK)
        expect(page.locator(".studio-tab .at-surface").get_by_text(chord, exact=True).first).to_be_attached()
        page.evaluate(f"() => {{ window.tabCursor = {CURSOR}; }}")
        before = page.evaluate("() => window.tabCursor()")
        play.click()
        pause = page.locator(".studio-tab").get_by_role("button", name=t("tab.pause", lang))
        expect(pause).to_be_visible()
        page.wait_for_function("before => window.tabCursor() !== before", arg=before, timeout=WORK)
        pause.click()
        walker.shot("playing")
        walker.no_sideways_scroll()
        assert walker.complaints == []
        context.close()
