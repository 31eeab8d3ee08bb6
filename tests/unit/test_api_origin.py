"""Where requests come from and want to go: decisions on headers and paths."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from api.assets import distinct_names
from api.origin import (
    asks_for_page,
    body_limit,
    is_loopback,
    is_open_path,
    is_same_origin,
    is_webhook,
    needs_page_session,
    requested_host,
    safe_next,
)
from api.shapes import rate

NAMES = st.text(st.characters(exclude_characters="/\\\x00"), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("values", "host"),
    [
        (["127.0.0.1:8501"], "127.0.0.1"),
        (["LOCALHOST"], "localhost"),
        (["[::1]:8501"], "[::1]"),
        ([], None),
        (["a", "a"], None),
        (["a, b"], None),
        (["user@localhost"], None),
        (["localhost/.."], None),
        (["localhost:99999999"], None),
        (["localhost\x00"], None),
    ],
)
def test_requested_host(values: list[str], host: str | None) -> None:
    assert requested_host(values) == host


HEADER = st.text(st.characters(max_codepoint=255), max_size=30)


@given(
    HEADER
    | st.builds("http://{}".format, HEADER)
    | st.sampled_from(["http://[", "http://localhost:8501@evil", "null"]),
    st.sampled_from(["localhost:8501", "127.0.0.1:8501", ""]),
)
def test_another_origin_is_never_ours(origin: str, host: str) -> None:
    if origin.lower() not in (f"http://{host}", f"https://{host}"):
        assert not is_same_origin(Headers({"origin": origin, "host": host}))


def test_a_token_is_enough_and_an_empty_one_is_not() -> None:
    assert is_same_origin(Headers({"authorization": "Bearer cs_x", "origin": "https://elsewhere"}))
    assert not is_same_origin(Headers({"authorization": "Bearer ", "origin": "https://elsewhere"}))
    assert not is_same_origin(Headers({"authorization": "Basic eDp5", "origin": "https://elsewhere"}))


@given(st.text(max_size=40) | st.builds("/{}".format, st.text(max_size=40)))
def test_next_stays_on_this_site(target: str) -> None:
    chosen = safe_next(target)
    # What a browser makes of it: backslashes are slashes, tabs and newlines vanish (WHATWG URL).
    seen = chosen.replace("\\", "/").replace("\t", "").replace("\n", "").replace("\r", "")
    assert urlsplit(urljoin("http://studio/sign-in", seen)).netloc == "studio"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("10.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("fe80::1%eth0", False),
        ("testclient", False),
        ("", False),
    ],
)
def test_loopback(address: str, expected: bool) -> None:
    assert is_loopback(address) is expected


def test_paths() -> None:
    html = Headers({"accept": "text/html,application/xhtml+xml"})
    assert asks_for_page("/video", html)
    assert not asks_for_page("/_stcore/stream", html)
    assert not asks_for_page("/video", Headers({"accept": "*/*"}))
    assert needs_page_session("/_stcore/stream")
    assert needs_page_session("/media/a.mp4")
    assert not is_open_path("/_stcore/stream")
    assert is_open_path("/_stcore/health")
    assert is_open_path("/api/jobs")
    assert is_webhook("/api/publishing/webhook/youtube")
    assert not is_webhook("/api/publishing/webhook/youtube/../../assets")
    assert not is_webhook("/api/publishing/webhook/")


def test_limits_by_path() -> None:
    assert body_limit("/api/uploads/x", 10**10) > 10**10
    assert body_limit("/api/assets", 10**10) > 10**10
    assert body_limit("/api/assets/x", 10**10) < 10**7 * 2
    assert body_limit("/api/publishing/webhook/youtube", 10**10) <= 1024 * 1024


@given(st.lists(NAMES, max_size=20))
def test_names_in_a_zip_never_collide(names: list[str]) -> None:
    made = distinct_names(names)
    assert len(made) == len(names)
    assert len({name.lower() for name in made}) == len(names)
    assert all("/" not in name for name in made)


@pytest.mark.parametrize(("text", "expected"), [("30000/1001", 29.97003), ("25", 25.0), ("", None), (None, None)])
def test_rate(text: str | None, expected: float | None) -> None:
    assert rate(text) == expected
