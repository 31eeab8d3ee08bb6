"""Signing in through an identity provider: the whole way in Chromium, and who is not let in (S1)."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from core.i18n import t
from core.security import SESSION_COOKIE
from tests.browser.conftest import SHOTS, Studio, data_folder, free_port, start, stop
from tests.fakes.identity import FakeIdentity

OWNER, EDITOR, PASSWORD = "owner@example.com", "editor@example.com", "a long enough password"


@pytest.fixture(scope="module")
def provider_and_studio() -> Iterator[tuple[FakeIdentity, Studio]]:
    """A studio with an owner, an editor who has no password, and an identity provider beside it."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    provider = FakeIdentity(f"{address}/oauth2callback")
    log = (SHOTS.parent / "studio-sign-in.log").resolve()
    log.unlink(missing_ok=True)
    with data_folder() as folder:
        process = start(folder, port, log, provider.settings)
        token = (folder / "api-token").read_text().strip()
        with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=30) as client:
            owner = {"email": OWNER, "password": PASSWORD}
            client.put("/api/sessions/password", json=owner).raise_for_status()
            client.post("/api/sessions/people", json={"email": EDITOR, "role": "editor"}).raise_for_status()
        yield provider, Studio(address, folder)
        stop(process)
    provider.stop()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(locale="en-US")
    yield context
    context.close()


def sign_in(context: BrowserContext, studio: Studio) -> Page:
    """Open a page of the studio and press the provider's button."""
    page = context.new_page()
    page.goto(f"{studio.address}/library")
    page.get_by_role("link", name=t("sign_in.with_provider", "en", provider="Example ID")).click()
    return page


def test_somebody_let_in_comes_back_to_the_page_they_wanted(
    provider_and_studio: tuple[FakeIdentity, Studio], context: BrowserContext
) -> None:
    provider, studio = provider_and_studio
    provider.is_there(email=EDITOR.upper(), email_verified=True)
    page = sign_in(context, studio)
    page.wait_for_url("**/library")
    assert {cookie["name"] for cookie in context.cookies()} & {"_streamlit_user", "studio_next"} == set()
    person = context.request.get(f"{studio.address}/api/sessions").json()
    assert (person["email"], person["role"]) == (EDITOR, "editor")
    # Signed out is signed out: the provider is not asked again by itself.
    context.request.delete(f"{studio.address}/api/sessions", headers={"Origin": studio.address})
    page.goto(f"{studio.address}/library")
    expect(page.locator("input[name=password]")).to_be_visible()


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "stranger@example.com", "email_verified": True},
        {"email": OWNER, "email_verified": False},
        {"email": OWNER},
        {},
    ],
)
def test_others_are_not_let_in(
    provider_and_studio: tuple[FakeIdentity, Studio], context: BrowserContext, claims: dict[str, object]
) -> None:
    provider, studio = provider_and_studio
    provider.is_there(**claims)
    page = sign_in(context, studio)
    expect(page.locator("input[name=password]")).to_be_visible()
    assert SESSION_COOKIE not in {cookie["name"] for cookie in context.cookies()}
    if claims.get("email_verified"):
        expect(page.get_by_role("alert")).to_contain_text("stranger@example.com")


def test_an_identity_of_another_hand_is_worth_nothing(
    provider_and_studio: tuple[FakeIdentity, Studio], context: BrowserContext
) -> None:
    from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

    _, studio = provider_and_studio
    claims = f'{{"email": "{OWNER}", "email_verified": true}}'
    forged = create_signed_value("a secret of somebody's own", "_streamlit_user", claims).decode()
    context.add_cookies([{"name": "_streamlit_user", "value": forged, "url": studio.address}])
    page = context.new_page()
    page.goto(f"{studio.address}/library")
    expect(page.locator("input[name=password]")).to_be_visible()
