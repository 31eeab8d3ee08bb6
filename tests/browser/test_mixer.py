"""The mixer's script in a real browser, on stems that a server gives by HTTP Range: in step to the sample (M2)."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Browser, Page

from pages.components import labels

COMPONENTS = Path(__file__).resolve().parents[2] / "pages" / "components"
STEMS = ("vocal", "drums", "bass", "other")
SECONDS, RATE, BLOCK = 10, 48_000, 4 * 48_000
# Every buffer that is laid on the clock: when, how long, and eight samples of it.
NOTE_STARTS = """
window.starts = [];
const start = AudioBufferSourceNode.prototype.start;
AudioBufferSourceNode.prototype.start = function (when) {
  window.starts.push([when, this.buffer.length, [...this.buffer.getChannelData(1).slice(5000, 5008)]]);
  return start.call(this, when);
};
"""


@pytest.fixture
def stems(tmp_path: Path) -> dict[str, Any]:
    """Noise, as the jobs write stems: 24-bit WAV."""
    chance = np.random.default_rng(5)
    made = {}
    for stem in STEMS:
        samples = chance.uniform(-0.2, 0.2, (SECONDS * RATE, 2))
        soundfile.write(tmp_path / f"{stem}.wav", samples, RATE, subtype="PCM_24")
        made[stem] = soundfile.read(tmp_path / f"{stem}.wav")[0]
    return made


@pytest.fixture
def address(tmp_path: Path, stems: dict[str, Any]) -> Iterator[str]:
    strips = [{"stem": stem, "label": stem.title(), "src": f"/{stem}.wav"} for stem in STEMS]
    data = {
        "strips": strips, "title": "Song", "duration": SECONDS, "peaks": [0.5] * 500, "words": labels("mixer", "en")
    }  # fmt: skip
    script = "".join((COMPONENTS / name).read_text() for name in ("shared.js", "mixer/component.js"))
    style = "".join((COMPONENTS / name).read_text() for name in ("shared.css", "mixer/component.css"))
    page = f"""<!doctype html><meta name="viewport" content="width=device-width"><style>{style}</style>
      <div id="host"><div class="studio studio-mixer"></div></div><script type="module">
      import mixer from "/mixer.js";
      mixer({{ parentElement: document.getElementById("host"), data: {json.dumps(data)},
               setStateValue: (name, value) => {{ window.told = value; }} }});</script>"""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path.endswith(".wav"):
                whole = (tmp_path / self.path[1:]).read_bytes()
                first, last = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers["Range"]).groups()  # type: ignore[union-attr]
                body = whole[int(first) : int(last) + 1]
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {first}-{int(first) + len(body) - 1}/{len(whole)}")
            else:
                body = (script if self.path == "/mixer.js" else page).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/javascript" if self.path == "/mixer.js" else "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 390, "height": 844})
    opened = context.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.add_init_script(NOTE_STARTS)
    opened.goto(address)
    opened.wait_for_selector(".strip")
    yield opened
    context.close()
    assert faults == []


def test_all_stems_lie_on_one_clock_without_gaps(page: Page, stems: dict[str, Any]) -> None:
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("() => window.starts.length >= 12")
    starts = page.evaluate("() => window.starts")
    begin = starts[0][0]
    for block in range(3):
        four = starts[4 * block : 4 * block + 4]
        assert len({when for when, _, _ in four}) == 1, "the stems begin together"
        assert (four[0][0] - begin) * RATE == pytest.approx(block * BLOCK, abs=0.01), "a block begins where one ended"
        assert {length for _, length, _ in four} == {min(BLOCK, SECONDS * RATE - block * BLOCK)}
        for (_, _, heard), stem in zip(four, STEMS, strict=True):
            at = block * BLOCK + 5000
            np.testing.assert_allclose(heard, stems[stem][at : at + 8, 1], atol=1e-7)
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Play").wait_for()


def test_levels_by_pointer_and_keyboard_are_told_to_the_page(page: Page) -> None:
    def told() -> dict[str, Any]:
        return {stem: (level["gain_db"], level["muted"]) for stem, level in page.evaluate("() => window.told").items()}

    loud, off = (0, False), (0, True)
    page.get_by_role("button", name="Karaoke").click()
    assert told() == {"vocal": off, "drums": loud, "bass": loud, "other": loud}
    page.get_by_role("button", name="A cappella").press("Enter")
    assert told() == {"vocal": loud, "drums": off, "bass": off, "other": off}
    page.get_by_role("button", name="All", exact=True).click()
    page.get_by_role("button", name="Solo Bass").press("Space")
    assert told() == {"vocal": off, "drums": off, "bass": loud, "other": off}
    page.get_by_role("button", name="Mute Bass").click()
    assert told()["bass"] == off
    page.get_by_role("slider", name="Volume of Drums").press("ArrowLeft")
    assert told()["drums"] == (-1, True)
    page.get_by_role("slider", name="Volume of Drums").press("Home")
    assert told()["drums"][0] == -40


def test_it_is_moved_by_keys_and_fits_a_phone(page: Page) -> None:
    place = page.get_by_role("slider", name=re.compile("Song"))
    place.press("PageDown")
    assert place.get_attribute("aria-valuetext") == "0:10 / 0:10"
    place.press("ArrowLeft")
    assert place.get_attribute("aria-valuetext") == "0:08 / 0:10"
    place.press("Space")
    page.wait_for_function("() => window.starts.length >= 4")
    assert page.evaluate("() => window.starts[0][1]") == 2 * RATE
    place.press("End")
    page.get_by_role("button", name="Play").wait_for()
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
