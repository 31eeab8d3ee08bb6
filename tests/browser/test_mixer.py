"""The mixer's script, and the comparison's, in a real browser on WAVs that a server gives by HTTP Range (M2, M5)."""

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

from pages.components import labels, sources

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
window.levels = [];
const ramp = AudioParam.prototype.setTargetAtTime;
AudioParam.prototype.setTargetAtTime = function (value, when, constant) {
  window.levels.push(value);
  return ramp.call(this, value, when, constant);
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


def document(name: str, data: dict[str, Any]) -> tuple[str, str]:
    """The script of a component, and a page that shows it with ``data``."""
    script, style = ("".join(path.read_text() for path in sources(name, suffix, deck=True)) for suffix in ("js", "css"))
    page = f"""<!doctype html><meta name="viewport" content="width=device-width"><style>{style}</style>
      <div id="host"><div class="studio studio-{name} studio-deck"></div></div><script type="module">
      import show from "/{name}.js";
      show({{ parentElement: document.getElementById("host"), data: {json.dumps(data)},
              setStateValue: (name, value) => {{ window.told = value; }} }});</script>"""
    return script, page


@pytest.fixture
def address(tmp_path: Path, stems: dict[str, Any]) -> Iterator[str]:
    common = {"title": "Song", "duration": SECONDS, "peaks": [0.5] * 500}
    strips = [{"stem": stem, "label": stem.title(), "src": f"/{stem}.wav"} for stem in STEMS]
    sides = [
        {"name": "before", "src": "/vocal.wav", "gain_db": 0.0}, {"name": "after", "src": "/drums.wav", "gain_db": -6.0}
    ]  # fmt: skip
    shown = {
        "mixer": document("mixer", common | {"strips": strips, "words": labels("mixer", "en")}),
        "compare": document(
            "compare", common | {"sides": sides, "words": labels("mixer", "en") | labels("compare", "en")}
        ),
    }

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
                name, is_script = self.path[1:].removesuffix(".js"), self.path.endswith(".js")
                body = shown[name][0 if is_script else 1].encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/javascript" if is_script else "text/html")
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
def page(chromium: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The mixer, or another component by its name."""
    name = getattr(request, "param", "mixer")
    context = chromium.new_context(viewport={"width": 390, "height": 844})
    opened = context.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.add_init_script(NOTE_STARTS)
    opened.goto(f"{address}/{name}")
    opened.get_by_role("button", name="Play").wait_for()
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


@pytest.mark.parametrize("page", ["compare"], indirect=True)
def test_before_and_after_change_over_without_losing_the_place(page: Page) -> None:
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("() => window.starts.length >= 4")
    starts = page.evaluate("() => window.starts")
    assert starts[0][0] == starts[1][0], "both play in step"
    before, after = (page.get_by_role("button", name=name, exact=True) for name in ("Before", "After"))
    assert (before.get_attribute("aria-pressed"), after.get_attribute("aria-pressed")) == ("false", "true")
    page.evaluate("() => { window.levels = []; window.laid = window.starts.length; }")
    before.click()
    assert page.evaluate("() => window.levels") == [1, 0]
    after.press("Enter")
    assert page.evaluate("() => window.levels.slice(2)") == [0, pytest.approx(10 ** (-6 / 20))]
    assert page.get_by_role("button", name="Pause").is_visible(), "it goes on playing"
    # Nothing was laid anew: what came since is the next block of each, at its own place.
    later = page.evaluate("() => window.starts.slice(window.laid)")
    assert all((when - starts[0][0]) * RATE == pytest.approx(2 * BLOCK, abs=0.01) for when, _, _ in later)
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
