"""The path of issue 2 as a user walks it, steps 2–8, in Chromium at desktop width; every page again on a phone in Thai.

One recording goes in (the sample), shorts come out, one is published on the simulated platform and earns its views.
Pictures of each step are kept in test-output/browser.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import imageio_ffmpeg
import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

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
    told = page.locator("[data-testid='stToast']").filter(has_text=t("job.sample.create", "en"))
    told.first.wait_for(timeout=WORK)
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


def figure(page: Page, key: str) -> Locator:
    """One of the figures at the top of the dashboard."""
    words = re.compile(f"^{re.escape(t(key, 'en'))}$")
    return page.locator(".studio-figure", has=page.locator("dt", has_text=words)).locator("dd")


def amount(locator: Locator) -> float:
    """The number in "฿1,234.50" or "−$3"."""
    text = locator.inner_text().replace("−", "-")
    return float("".join(char for char in text if char in "-.0123456789"))


def test_a_cost_is_entered_and_comes_off_the_profit(desktop: Walker) -> None:
    page = desktop.page
    desktop.open("business")
    revenue = amount(figure(page, "business.revenue"))
    assert revenue > 0, "the simulated week earned something"
    assert amount(figure(page, "business.profit")) == revenue
    page.get_by_text(t("business.costs.enter", "en"), exact=True).click()
    page.get_by_label(t("business.costs.amount", "en")).first.fill("2.50")
    button(page, "business.costs.save").first.click()
    expect(figure(page, "business.cost")).to_contain_text("2.50", timeout=30_000)
    assert amount(figure(page, "business.profit")) == pytest.approx(revenue - 2.5, abs=0.006)
    desktop.settle()
    desktop.shot("10-business")


def test_a_bar_of_the_chart_filters_the_page(desktop: Walker) -> None:
    page = desktop.page
    views = amount(figure(page, "business.views"))
    bars = page.locator(".js-plotly-plot").nth(1).locator(".barlayer .point path")
    assert bars.count() >= 2
    bars.last.scroll_into_view_if_needed()
    boxes = [box for bar in bars.all() if (box := bar.bounding_box()) is not None]
    box = max(boxes, key=lambda one: one["height"])  # days without a view have bars of no height
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    button(page, "business.everything").wait_for(timeout=30_000)
    desktop.settle()
    assert 0 < amount(figure(page, "business.views")) < views
    button(page, "business.everything").click()
    button(page, "business.everything").wait_for(state="detached", timeout=30_000)
    assert amount(figure(page, "business.views")) == views


@pytest.mark.parametrize(
    ("lang", "question"), [("en", "Which video brought in the most money?"), ("th", "คลิปไหนทำเงินได้มากที่สุด")]
)
def test_the_advisor_answers_and_shows_where_a_number_is_from(desktop: Walker, lang: str, question: str) -> None:
    page = desktop.page
    desktop.open("advisor?chat=new")
    field = page.locator("[data-testid='stChatInput'] textarea")
    field.fill(question)
    field.press("Enter")
    answer = page.locator("[data-testid='stChatMessage']").nth(1)
    answer.wait_for(timeout=30_000)
    desktop.settle()
    numbers = answer.locator("button")
    assert numbers.count() >= 1, answer.inner_text()
    said = numbers.first.inner_text().split("\n")[-1].strip()
    numbers.first.click()
    behind = page.get_by_role("dialog")
    behind.wait_for(timeout=30_000)
    expect(behind.get_by_text("SELECT").first).to_be_visible(timeout=30_000)
    expect(behind.locator("[data-testid='stDataFrame']")).to_be_visible(timeout=30_000)
    assert said in answer.inner_text()
    desktop.shot(f"10-advisor-{lang}")
    page.keyboard.press("Escape")


def test_settings_are_changed_and_kept(desktop: Walker) -> None:
    page = desktop.page
    desktop.open("settings")
    page.get_by_role("tab", name=t("settings.services", "en")).click()
    value = page.get_by_label(t("settings.key_value", "en"))
    value.fill("a-key-that-nobody-sees")
    button(page, "settings.key_save").click()
    expect(page.get_by_text(t("settings.key_set", "en"), exact=True)).to_be_visible(timeout=30_000)
    desktop.open("settings")
    page.get_by_role("tab", name=t("settings.services", "en")).click()
    expect(page.get_by_text(t("settings.key_set", "en"), exact=True)).to_be_visible(timeout=30_000)
    assert "a-key-that-nobody-sees" not in page.content()
    button(page, "settings.key_remove").click()
    expect(page.get_by_text(t("settings.key_missing", "en"), exact=True)).to_be_visible(timeout=30_000)
    page.get_by_role("tab", name=t("settings.models", "en")).click()
    models = page.get_by_role("tabpanel", name=t("settings.models", "en"))
    expect(models.get_by_text("Whisper small", exact=True)).to_be_visible()
    desktop.shot("10-settings")


def test_a_running_job_is_cancelled_from_its_page(desktop: Walker) -> None:
    page = desktop.page
    desktop.open("video")
    button(page, "home.to_project").first.click()
    page.wait_for_url("**/video?project=*", timeout=30_000)
    desktop.settle()
    button(page, "video.make_shorts").click()
    page.wait_for_selector(".studio-jobs article", timeout=60_000)
    page.reload()  # what runs is still there
    row = page.locator(".studio-jobs article")
    row.wait_for(timeout=60_000)
    row.get_by_role("button", name=t("job.cancel", "en")).click()
    row.wait_for(state="detached", timeout=60_000)
    desktop.open("jobs")
    expect(page.get_by_text(t("job.state.cancelled", "en"), exact=True).first).to_be_visible(timeout=30_000)


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


def test_several_files_of_which_some_are_refused(desktop: Walker, tmp_path: Path) -> None:
    page = desktop.page
    text, cut, song, clip = (tmp_path / name for name in ("notes.mp4", "cut.mp4", "hum.mp3", "short.mp4"))
    text.write_text("not a video")
    run_ffmpeg("-f lavfi -i testsrc2=s=320x180:r=25:d=2 -c:v libx264 -pix_fmt yuv420p", clip)
    cut.write_bytes(clip.read_bytes()[:9000])
    run_ffmpeg("-f lavfi -i sine=300:d=2", song)
    desktop.open("video")
    page.wait_for_selector(".studio-upload .zone", timeout=30_000)
    page.locator(".studio-upload input[type=file]").set_input_files([song, text, cut, clip])
    page.wait_for_url("**/video?project=*", timeout=120_000)  # the video's, though the sound was first
    expect(page.get_by_role("heading", level=3).first).to_have_text(clip.name, timeout=30_000)
    told = page.locator("[data-testid='stAlert']")
    expect(told.filter(has_text=text.name)).to_have_count(1)
    expect(told.filter(has_text=cut.name)).to_have_count(1)
    assert "Errno" not in page.locator("[data-testid='stMain']").inner_text()
    desktop.open("music")
    page.get_by_text("hum", exact=False).first.wait_for(timeout=WORK)


def test_an_upload_goes_on_while_another_page_is_open(desktop: Walker, tmp_path: Path) -> None:
    page = desktop.page
    clip = tmp_path / "later.mp4"
    run_ffmpeg("-f lavfi -i testsrc2=s=320x180:r=25:d=2 -c:v libx264 -pix_fmt yuv420p", clip)
    desktop.open("video")
    page.wait_for_selector(".studio-upload .zone", timeout=30_000)
    held: list[Route] = []
    page.route("**/api/uploads", lambda route: held.append(route))  # the server takes its time
    page.locator(".studio-upload input[type=file]").set_input_files(clip)
    page.locator(".studio-upload li").wait_for(timeout=30_000)
    page.get_by_role("link", name=t("page.jobs.name", "en")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(t("page.jobs.title", "en"), timeout=30_000)
    for route in held:
        route.continue_()
    page.unroute("**/api/uploads")
    page.get_by_role("link", name=t("page.video.name", "en")).first.click()
    page.wait_for_url("**/video?project=*", timeout=120_000)
    expect(page.get_by_role("heading", level=3).first).to_have_text(clip.name, timeout=30_000)


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
    assert page.evaluate("document.documentElement.lang") == "th"
    phone.no_sideways_scroll()
    assert page.locator("[data-testid='stException']").count() == 0
    assert not phone.complaints, phone.complaints
    context.close()
