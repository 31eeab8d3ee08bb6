"""Decisions about Facebook and Instagram: what is a Reel, what a refusal means, which post an address names."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from core.errors import InvalidInput
from core.i18n import explain
from core.publishing.addresses import post_id
from core.publishing.meta_oauth import proof
from core.publishing.reels import fits_a_reel, surface_of
from providers.publishing.meta_errors import PAUSE, classify, regained, used_up


@pytest.mark.parametrize(
    ("width", "height", "fps", "seconds", "fits"),
    [
        (1080, 1920, "30/1", 60.0, True),
        (540, 960, "24000/1001", 3.0, True),
        (1080, 1920, "60/1", 90.0, True),
        (1080, 1920, "30/1", 90.1, False),
        (1080, 1920, "30/1", 2.9, False),
        (360, 640, "30/1", 30.0, False),
        (1080, 1350, "30/1", 30.0, False),
        (1920, 1080, "30/1", 30.0, False),
        (1080, 1920, "15/1", 30.0, False),
        (1080, 1920, "120/1", 30.0, False),
        (1080, 1920, "1/0", 30.0, False),
        (None, None, None, None, False),
    ],
)
def test_what_goes_out_as_a_reel(
    width: int | None, height: int | None, fps: str | None, seconds: float | None, fits: bool
) -> None:
    assert fits_a_reel(width, height, fps, seconds) is fits
    assert surface_of(None, width, height, fps, seconds) == ("reel" if fits else "video")
    assert surface_of("video", width, height, fps, seconds) == "video"


def _answer(code: int, subcode: int | None = None, **more: object) -> bytes:
    return json.dumps({"error": {"message": "m", "code": code, "error_subcode": subcode, **more}}).encode()


@pytest.mark.parametrize(
    ("content", "status", "mutation", "expected"),
    [
        (_answer(1), 500, False, "transient"),
        (_answer(2), 500, True, "unknown_outcome"),
        (_answer(100, is_transient=True), 400, False, "transient"),
        (_answer(4), 403, True, "throttled"),
        (_answer(4, 2207051), 403, True, "unknown_outcome"),
        (_answer(17), 403, False, "throttled"),
        (_answer(32), 403, False, "throttled"),
        (_answer(341), 403, False, "throttled"),
        (_answer(613), 403, False, "throttled"),
        (_answer(190, 463), 401, True, "auth"),
        (_answer(102), 401, True, "auth"),
        (_answer(10), 403, True, "auth"),
        (_answer(200), 403, True, "auth"),
        (_answer(299), 403, True, "auth"),
        (_answer(300), 403, True, "rejected"),
        (_answer(368, 1390008), 400, True, "quota"),
        (_answer(9, 2207042), 403, True, "quota"),
        (_answer(506), 400, True, "unknown_outcome"),
        (_answer(9007, 2207027), 400, True, "transient"),
        (_answer(100, 2207010), 400, True, "rejected"),
        (b"<html>bad gateway</html>", 502, True, "unknown_outcome"),
        (b'{"error": "190"}', 500, False, "transient"),
        (b'{"debug_info": {"retriable": true, "type": "X", "message": "m"}}', 400, False, "transient"),
        (b'{"debug_info": {"retriable": false, "type": "X", "message": "190"}}', 400, False, "rejected"),
        (b'{"debug_info": {"retriable": false, "type": "X"}}', 401, False, "auth"),
    ],
)
def test_refusals_by_their_numbers(content: bytes, status: int, mutation: bool, expected: str) -> None:
    failure = classify(status, content, {}, name="Facebook", mutation=mutation)
    assert failure.error_class == expected
    assert explain(failure, "th")[0] != failure.title, "people read it in their language"


def test_numbers_in_the_words_mean_nothing() -> None:
    failure = classify(400, _answer(100, message="code 190 368 (#4)"), {}, name="Facebook")
    assert (failure.error_class, failure.detail) == ("rejected", "code 190 368 (#4)")


def test_a_block_of_the_account_lasts_a_day_and_the_whole_app_waits_for_its_own_limit() -> None:
    now = datetime.now(UTC)
    blocked = classify(400, _answer(368), {}, name="Facebook")
    assert blocked.retry_at is not None
    assert blocked.retry_at >= now + timedelta(hours=24)
    assert classify(403, _answer(4), {}, name="Facebook").whole_application
    assert not classify(403, _answer(32), {}, name="Facebook").whole_application


def test_usage_headers_say_when_calls_are_taken_again() -> None:
    def use(share: int, minutes: int) -> dict[str, str]:
        row = {"type": "pages", "call_count": share, "total_time": 1, "estimated_time_to_regain_access": minutes}
        return {"x-business-use-case-usage": json.dumps({"1001": [row]})}

    assert regained(use(100, 37)) == timedelta(minutes=37)
    assert regained(use(99, 0)) == PAUSE
    assert regained({"x-business-use-case-usage": "nonsense"}) == PAUSE
    assert (used_up(use(100, 0)), used_up(use(99, 0)), used_up({"x-app-usage": '{"total_time": 100}'})) == (1, 0, 1)
    assert not used_up({"x-app-usage": "[]"})


@pytest.mark.parametrize(
    ("platform", "text", "found"),
    [
        ("facebook", "122100000000000001", "122100000000000001"),
        ("facebook", "https://www.facebook.com/reel/122100000000000001/?s=1", "122100000000000001"),
        ("facebook", "m.facebook.com/watch/?v=122100000000000001", "122100000000000001"),
        ("facebook", "https://facebook.com/krua/videos/a-talk/122100000000000001/", "122100000000000001"),
        ("instagram", "17912345678901234", "17912345678901234"),
        ("instagram", "https://www.instagram.com/reel/DAbc_d-9/?igsh=x", "DAbc_d-9"),
        ("instagram", "https://www.instagram.com/me/p/DAbc_d-9/", "DAbc_d-9"),
    ],
)
def test_the_post_an_address_names(platform: str, text: str, found: str) -> None:
    assert post_id(platform, text) == found


@pytest.mark.parametrize(
    ("platform", "text"),
    [
        ("facebook", "https://evilfacebook.com/reel/122100000000000001"),
        ("facebook", "https://www.facebook.com/krua"),
        ("facebook", "๑๒๓๔๕๖๗๘๙๐"),
        ("instagram", "https://www.instagram.com/me/"),
        ("instagram", "my post"),
    ],
)
def test_what_names_no_post(platform: str, text: str) -> None:
    with pytest.raises(InvalidInput):
        post_id(platform, text)


def test_the_proof_is_the_tokens_hmac_under_the_apps_secret() -> None:
    assert proof("", "token") == {}
    assert proof("hush", "token") == {
        "appsecret_proof": "53d05914eb0befeacd9e323d714ee68daae5cbb880c36ab4893041595f660ef5"
    }
