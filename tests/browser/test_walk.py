"""The path of issue 2 as a user walks it, steps 2–8, in Chromium at desktop width; every page again on a phone in Thai.

One recording goes in (the sample), shorts come out, one is published on the simulated platform and earns its views.
Pictures of each step are kept in test-output/browser.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import imageio_ffmpeg
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from core.i18n import t
from tests.browser.conftest import Studio, Walker

WORK = 600_000  # milliseconds that a job may take on a busy machine
PAGES = ("", "video", "music", "library", "jobs", "publishing", "business", "advisor", "settings")


@pytest.fixture(scope="module")
def desktop(chromium: Browser, running_studio: Studio) -> Iterator[Walker]:
    context = chromium.new_context(
        viewport={"width": 1280, "height": 900}, locale="en-US", timezone_id="Asia/Bangkok", accept_downloads=True
    )
    yield Walker(context, running_studio, "desktop")
    context.close()


def button(page: Page, key: str, **values: object) -> Locator:
    """A button by its English words."""
    return page.get_by_role("button", name=t(key, "en", **values))


def run_ffmpeg(arguments: str, output: Path) -> None:
    """Make a small file whose content is known."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", *arguments.split(), str(output)]
    subprocess.run(command, check=True, timeout=120)


def _plays(page: Page, video: Locator) -> bool:
    """Whether a video element really moves on."""
    handle = video.element_handle()
    page.evaluate("async video => { video.muted = true; video.currentTime = 0; await video.play(); }", handle)
    page.wait_for_timeout(1500)
    seconds = float(page.evaluate("video => { video.pause(); return video.currentTime; }", handle))
    return seconds > 0.3


def test_the_first_visit(desktop: Walker) -> None:
    desktop.open()
    page = desktop.page
    expect(page.get_by_role("heading", level=1)).to_have_text(t("home.welcome", "en"))
    expect(page.get_by_role("combobox").first).to_have_value("Asia/Bangkok")  # the browser's own zone
    desktop.shot("1-questions")
    button(page, "home.start").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(t("page.home.title", "en"), timeout=30_000)
    page.wait_for_selector(".studio-upload .zone")
    desktop.shot("2-home")


def test_the_sample_becomes_a_project(desktop: Walker) -> None:
    page = desktop.page
    button(page, "home.sample").click()
    page.wait_for_url("**/video?project=*", timeout=30_000)
    page.wait_for_selector(".studio-jobs article", timeout=30_000)
    desktop.shot("3-sample-job")
    expect(button(page, "video.find_cuts")).to_be_enabled(timeout=WORK)
    desktop.settle()
    desktop.shot("4-choices")


def test_the_cuts_are_reviewed_and_corrected(desktop: Walker) -> None:
    page = desktop.page
    button(page, "video.find_cuts").click()
    page.wait_for_selector(".studio-timeline .piece", timeout=WORK)
    desktop.settle()
    pieces = page.locator(".studio-timeline .piece.gone")
    removed = pieces.count()
    assert removed >= 2, "the sample has pauses to remove"
    pieces.nth(1).click()
    expect(pieces).to_have_count(removed - 1)
    word = page.locator(".studio-timeline .word").nth(2)
    word.dblclick()
    page.keyboard.type("Corrected")
    page.keyboard.press("Enter")
    page.wait_for_timeout(2500)
    desktop.shot("5-review")
    page.reload()
    page.wait_for_selector(".studio-timeline .word", timeout=60_000)
    expect(page.locator(".studio-timeline .word").nth(2)).to_have_text("Corrected")
    expect(pieces).to_have_count(removed - 1)  # the edit survives a reload
    assert _plays(page, page.locator(".studio-timeline video"))


def test_it_renders_and_plays(desktop: Walker) -> None:
    page = desktop.page
    button(page, "video.render_count", count=2).click()
    page.wait_for_selector(".studio-jobs article", timeout=60_000)
    page.get_by_role("heading", name=t("video.results", "en")).wait_for(timeout=WORK)
    desktop.settle()
    desktop.shot("6-results")
    players = page.locator(".studio-player video")
    assert players.count() == 2
    assert _plays(page, players.first)
    link = page.get_by_role("link", name=t("video.zip", "en"))
    with page.expect_download(timeout=120_000) as download:
        link.click()
    with zipfile.ZipFile(BytesIO(download.value.path().read_bytes())) as archive:
        assert len(archive.namelist()) == 2
        assert archive.testzip() is None


def test_shorts_are_kept_and_discarded(desktop: Walker) -> None:
    page = desktop.page
    field = page.get_by_label(t("video.shorts_count", "en"))
    field.fill("2")
    field.press("Enter")
    desktop.settle()
    button(page, "video.make_shorts").click()
    page.get_by_role("heading", name=t("video.shorts", "en"), exact=True).wait_for(timeout=WORK)
    desktop.settle()
    desktop.shot("7-shorts")
    titles = page.get_by_label(t("video.title", "en"))
    assert titles.count() == 2
    assert all(titles.nth(index).input_value().strip() for index in range(2))
    button(page, "video.discard").last.click()
    expect(titles).to_have_count(1, timeout=30_000)
    page.get_by_role("button", name=t("video.keep", "en"), exact=True).first.click()
    expect(page.get_by_role("button", name=t("video.kept", "en"), exact=True)).to_have_count(1, timeout=30_000)


def test_a_draft_is_published_on_the_simulated_platform(desktop: Walker) -> None:
    page = desktop.page
    deadline = time.monotonic() + 60
    while True:  # drafts come through the event bus, a moment after the results
        desktop.open("publishing")
        if page.get_by_role("button", name="Publish …").count() >= 2 or time.monotonic() > deadline:
            break
    desktop.shot("8-board")
    page.get_by_role("button", name="Publish …").first.click()
    page.get_by_role("dialog").wait_for()
    page.get_by_role("dialog").get_by_role("button", name=t("publishing.add_simulated", "en")).click()
    page.get_by_role("dialog").get_by_role("button", name=t("publishing.do_now", "en")).wait_for(timeout=30_000)
    desktop.shot("9-dialog")
    page.get_by_role("dialog").get_by_role("button", name=t("publishing.do_now", "en")).click()
    page.locator(".studio-chip.good", has_text=t("publication_state.published", "en")).first.wait_for(timeout=WORK)
    assert page.locator(".studio-chip.sim").count(), "what is simulated is marked"
    page.get_by_role("tab", name=t("publishing.accounts", "en")).click()
    button(page, "publishing.play_week").click()
    page.get_by_text(t("publishing.week_played", "en")).wait_for(timeout=60_000)
    desktop.shot("10-week")


def test_a_file_is_dropped_and_arrives_whole(desktop: Walker, tmp_path: Path) -> None:
    page = desktop.page
    clip = tmp_path / "ไฟล์ {ทดสอบ}.mp4"
    run_ffmpeg(
        "-f lavfi -i testsrc2=s=320x180:r=25:d=3 -f lavfi -i sine=300:d=3 -c:v libx264 -g 25 -c:a aac -shortest", clip
    )
    desktop.open("video")
    page.wait_for_selector(".studio-upload .zone", timeout=30_000)
    page.locator(".studio-upload input[type=file]").set_input_files(clip)
    page.wait_for_url("**/video?project=*", timeout=120_000)
    expect(page.get_by_role("heading", level=3).first).to_have_text(clip.name, timeout=30_000)
    token = (desktop.studio.data / "api-token").read_text().strip()
    request = urllib.request.Request(
        f"{desktop.studio.address}/api/assets?limit=5", headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        hashes = {row["sha256"] for row in json.load(answer)}
    assert hashlib.sha256(clip.read_bytes()).hexdigest() in hashes


def test_a_song_shows_its_tempo_on_the_waveform(desktop: Walker, tmp_path: Path) -> None:
    page = desktop.page
    song = tmp_path / "clicks.wav"
    run_ffmpeg("-f lavfi -i aevalsrc=exprs=0.8*sin(2*PI*880*t)*exp(-40*mod(t\\,0.5)):d=20:s=44100", song)
    desktop.open("music")
    page.wait_for_selector(".studio-upload .zone", timeout=30_000)
    page.locator(".studio-upload input[type=file]").set_input_files(song)
    page.wait_for_url("**/music?asset=*", timeout=WORK)
    badge = page.locator(".studio-waveform .badge", has_text="BPM").first
    badge.wait_for(timeout=WORK)
    assert abs(int(badge.inner_text().split()[0]) - 120) <= 2
    desktop.shot("11-music")
    desktop.open("music")
    expect(page.get_by_text(song.name, exact=True)).to_have_count(1)  # the import stands for the file it came from


@pytest.mark.parametrize("path", [name for name in PAGES if name])
def test_every_page_is_drawn_without_complaints(desktop: Walker, path: str) -> None:
    desktop.open(path)
    expect(desktop.page.get_by_role("heading", level=1)).to_have_text(t(f"page.{path}.title", "en"), timeout=30_000)
    assert desktop.page.locator("[data-testid='stException']").count() == 0
    desktop.shot(f"page-{path}")
    desktop.no_sideways_scroll()
    assert not desktop.complaints, desktop.complaints


@pytest.mark.parametrize("path", PAGES)
def test_every_page_fits_a_phone_in_thai_by_night(chromium: Browser, running_studio: Studio, path: str) -> None:
    context = chromium.new_context(
        viewport={"width": 390, "height": 844},
        locale="th-TH",
        timezone_id="Asia/Bangkok",
        color_scheme="dark",
        has_touch=True,
        is_mobile=True,
    )
    phone = Walker(context, running_studio, "phone")
    phone.open(path)
    page = phone.page
    if page.get_by_role("heading", level=1).inner_text() in (t(f"page.{path or 'home'}.title", "en"), ""):
        page.locator("[data-testid='stExpandSidebarButton']").click()
        page.locator("[data-testid='stSidebar']").get_by_text("ไทย", exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(
            t(f"page.{path or 'home'}.title", "th"), timeout=30_000
        )
        page.locator("[data-testid='stSidebarCollapseButton'] button").click()
        phone.open(path)
    phone.shot(path or "home")
    phone.no_sideways_scroll()
    assert page.locator("[data-testid='stException']").count() == 0
    assert not phone.complaints, phone.complaints
    context.close()
