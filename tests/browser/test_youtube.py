"""Connecting YouTube and publishing to it, as a person clicks it; Google and YouTube are the strict loopback ones."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from core.i18n import t
from tests.browser.conftest import SHOTS, Studio, Walker, data_folder, free_port, start, stop
from tests.engine.publishing_studio import small_video
from tests.fakes.youtube.client import FakeYouTube

CHANNEL = "Loopback channel"


@pytest.fixture(scope="module")
def youtube(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeYouTube]:
    fake = FakeYouTube.start(tmp_path_factory.mktemp("youtube") / "youtube.jsonl")
    fake.account(title=CHANNEL)
    yield fake
    fake.stop()


@pytest.fixture(scope="module")
def studio_beside(youtube: FakeYouTube) -> Iterator[Studio]:
    """A studio of its own whose settings point to the loopback platform."""
    with data_folder() as folder:
        port = free_port()
        process = start(folder, port, (SHOTS.parent / "studio-youtube.log").resolve(), youtube.environment())
        yield Studio(f"http://127.0.0.1:{port}", folder)
        stop(process)


@pytest.fixture(scope="module")
def episode(studio_beside: Studio, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A draft with a real video, and Google's registration stored; everything over HTTP."""
    video = small_video(tmp_path_factory.mktemp("video") / "talk.mp4")
    token = (studio_beside.data / "api-token").read_text().strip()
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=f"{studio_beside.address}/api", headers=headers, timeout=60) as client:
        made = client.post("/assets", files={"file": ("talk.mp4", video.read_bytes(), "video/mp4")})
        assert made.status_code == 201, made.text
        draft = client.post("/dashboard/episodes", json={"title": "Loopback talk", "asset_id": made.json()["id"]})
        assert draft.status_code == 201, draft.text
        return str(draft.json()["id"])


@pytest.fixture(scope="module")
def window(chromium: Browser, studio_beside: Studio, episode: str) -> Iterator[Walker]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, locale="en-US", timezone_id="Asia/Bangkok")
    yield Walker(context, studio_beside, "youtube")
    context.close()


def _to_accounts(window: Walker) -> Page:
    window.open("publishing")
    window.page.get_by_role("tab", name=t("publishing.accounts", "en")).click()
    return window.page


def _come_back(window: Walker, outcome: str) -> None:
    window.page.wait_for_url(f"**/publishing?connection={outcome}&platform=youtube", timeout=30_000)
    window.settle()
    expect(window.page.get_by_text(t(f"publishing.connection.{outcome}", "en", platform="YouTube"))).to_be_visible(
        timeout=30_000
    )


def test_without_a_registration_the_page_says_what_is_missing(window: Walker, studio_beside: Studio) -> None:
    page = _to_accounts(window)
    page.get_by_role("link", name=t("publishing.connect_youtube", "en")).click()
    _come_back(window, "no_client")
    token = (studio_beside.data / "api-token").read_text().strip()
    answer = httpx.put(
        f"{studio_beside.address}/api/settings",
        headers={"Authorization": f"Bearer {token}"},
        json={"keys": {"GOOGLE_CLIENT_ID": "studio.apps", "GOOGLE_CLIENT_SECRET": "hush"}},
        timeout=30,
    )
    assert answer.status_code == 200, answer.text


def test_declining_and_a_forged_answer_change_nothing(window: Walker, studio_beside: Studio) -> None:
    page = _to_accounts(window)
    page.get_by_role("link", name=t("publishing.connect_youtube", "en")).click()
    page.get_by_role("link", name="Cancel").click()
    _come_back(window, "declined")
    page.goto(f"{studio_beside.address}/api/publishing/accounts/youtube/callback?state=forged&code=forged")
    _come_back(window, "expired")
    expect(page.get_by_text(CHANNEL)).to_have_count(0)


def test_consenting_lists_the_account(window: Walker) -> None:
    page = _to_accounts(window)
    page.get_by_role("link", name=t("publishing.connect_youtube", "en")).click()
    page.get_by_role("link", name="Allow").click()
    _come_back(window, "made")
    page.get_by_role("tab", name=t("publishing.accounts", "en")).click()
    expect(page.get_by_text(CHANNEL).first).to_be_visible(timeout=30_000)
    window.shot("1-connected")


def test_a_video_is_published_and_the_page_shows_it(window: Walker, youtube: FakeYouTube) -> None:
    window.open("publishing")
    page = window.page
    page.get_by_role("button", name=t("publishing.publish", "en")).first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible(timeout=30_000)
    expect(dialog.get_by_text(t("publishing.synthetic", "en"))).to_be_visible(timeout=30_000)
    window.shot("2-dialog")
    dialog.get_by_role("button", name=t("publishing.do_now", "en")).click()
    chip = page.locator(".studio-chip", has_text=t("publication_state.published", "en"))
    expect(chip.first).to_be_visible(timeout=90_000)
    (post,) = youtube.posts()
    assert post["title"] == "Loopback talk"
    assert post["status"]["privacyStatus"] == "public"
    window.open("publishing")
    page.get_by_role("tab", name=t("publishing.calendar", "en")).click()
    expect(page.locator(".studio-calendar .post.good")).to_have_count(1, timeout=30_000)
    window.shot("3-calendar")
    page.set_viewport_size({"width": 390, "height": 800})
    page.wait_for_timeout(800)
    expect(page.locator(".studio-calendar")).to_be_hidden()
    window.no_sideways_scroll()
    window.shot("4-phone")
    assert not window.complaints
