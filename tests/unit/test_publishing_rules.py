"""The platform's rules for words, the classes of its refusals, tokens, and the simulated audience."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from core.models.publishing import PLATFORMS
from core.publishing import preflight, tokens
from core.publishing.rules import RULES, rules_of, tags_length
from core.publishing.simulation import audience_day
from providers.publishing.youtube import describe
from providers.publishing.youtube_errors import classify, reason_of, unreachable

NOW = datetime(2026, 6, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def _codes(**change: object) -> set[str]:
    given_text = {"title": "A title", "description": "", "tags": [], "privacy": "public", **change}
    return {issue.code for issue in preflight.check_text(RULES["youtube"], **given_text)}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"title": "x" * 101}, "title_long"),
        ({"title": "  "}, "title_empty"),
        ({"title": "a<b"}, "characters"),
        ({"description": "a>b"}, "characters"),
        ({"description": "ก" * 1660}, "description_long"),
        ({"tags": ["a b" * 30] * 6}, "tags_long"),
        ({"privacy": "friends"}, "privacy"),
    ],
)
def test_each_rule_is_checked(change: dict[str, object], code: str) -> None:
    assert _codes(**change) == {code}


def test_what_just_fits_is_accepted() -> None:
    assert _codes(title="ก" * 100, description="ก" * 1653, tags=["x" * 100] * 4) == set()


@given(st.text(max_size=4000), st.integers(1, 10**6))
def test_a_description_that_passes_still_fits_with_its_marker_as_the_last_line(description: str, number: int) -> None:
    marker = f"ref:{'a' * 16}-{number}"
    whole = describe(description, marker)
    assert whole.splitlines()[-1] == marker
    if "description_long" not in _codes(description=description):
        assert len(whole.encode()) <= 5000


@given(st.lists(st.text(alphabet="ab ", min_size=1, max_size=20), max_size=20))
def test_tags_are_counted_as_youtube_counts_them(tags: list[str]) -> None:
    written = ",".join(f'"{tag}"' if " " in tag else tag for tag in tags)
    assert tags_length(tags) == len(written)


def test_every_platform_of_the_tables_has_rules_and_others_are_not_known() -> None:
    assert set(RULES) == set(PLATFORMS)
    with pytest.raises(InvalidInput, match="does not know"):
        rules_of("myspace")


def _answer(reason: str, message: str = "") -> bytes:
    return json.dumps({"error": {"errors": [{"reason": reason}], "message": message}}).encode()


@pytest.mark.parametrize(
    ("status", "reason", "mutation", "expected"),
    [
        (403, "quotaExceeded", False, "quota"),
        (403, "dailyLimitExceeded", False, "quota"),
        (400, "uploadLimitExceeded", False, "quota"),
        (403, "rateLimitExceeded", False, "throttled"),
        (429, "", False, "throttled"),
        (401, "authError", False, "auth"),
        (403, "youtubeSignupRequired", False, "auth"),
        (403, "forbidden", False, "rejected"),
        (400, "invalidTitle", False, "rejected"),
        (503, "backendError", False, "transient"),
        (503, "backendError", True, "unknown_outcome"),
        (400, "quotaExceededButNotReally", False, "rejected"),
    ],
)
def test_refusals_are_classed_by_their_fields(status: int, reason: str, mutation: bool, expected: str) -> None:
    failure = classify(status, _answer(reason), kind="videos.insert", mutation=mutation)
    assert failure.error_class == expected
    assert (failure.retry_at is not None) == (expected in ("quota", "throttled"))


def test_words_in_a_message_decide_nothing() -> None:
    failure = classify(400, _answer("invalidTags", "id 429 quotaExceeded 401"), kind="videos.insert")
    assert (failure.error_class, failure.code) == ("rejected", "invalidTags")


def test_only_the_projects_quota_is_everybodys() -> None:
    assert classify(403, _answer("quotaExceeded"), kind="x").whole_application
    assert not classify(400, _answer("uploadLimitExceeded"), kind="x").whole_application


@given(st.binary(max_size=200))
def test_any_bytes_have_a_reason_or_none(content: bytes) -> None:
    assert reason_of(content) == ("", "") or isinstance(reason_of(content)[0], str)


def test_no_answer_to_a_change_is_unknown() -> None:
    assert unreachable(TimeoutError()).error_class == "transient"
    assert unreachable(TimeoutError(), mutation=True).error_class == "unknown_outcome"


@pytest.mark.parametrize(
    ("auth", "expected"),
    [
        ({}, True),
        ({"access_token": "a"}, False),
        ({"access_token": "a", "expires_at": NOW + timedelta(minutes=5)}, False),
        ({"access_token": "a", "expires_at": NOW + timedelta(seconds=20)}, True),
        (
            {"access_token": "a", "issued_at": NOW - timedelta(minutes=50), "expires_at": NOW + timedelta(minutes=10)},
            True,
        ),
        (
            {"access_token": "a", "issued_at": NOW - timedelta(minutes=40), "expires_at": NOW + timedelta(minutes=20)},
            False,
        ),
        ({"access_token": "a", "expires_at": (NOW - timedelta(hours=1)).timestamp()}, True),
    ],
)
def test_tokens_are_renewed_past_four_fifths_of_their_life(auth: dict[str, object], expected: bool) -> None:
    assert tokens.stale(auth, NOW) is expected


@given(st.integers(0, 2**53), st.uuids().map(str), st.integers(1, 200), st.floats(1, 7200))
def test_the_simulated_audience_is_repeatable_and_plausible(seed: int, marker: str, day: int, seconds: float) -> None:
    gains = audience_day(seed, marker, day, seconds, "public")
    assert gains == audience_day(seed, marker, day, seconds, "public")
    assert gains.views >= gains.likes >= 0
    assert gains.watch_seconds <= gains.views * seconds + 1
    assert (gains.revenue > 0) == (gains.views > 0)
    nobody = audience_day(seed, marker, day, seconds, "private")
    assert (nobody.views, nobody.revenue) == (0, 0)


def test_posts_differ_and_age() -> None:
    first_days = {audience_day(1, f"post {number}", 1, 60, "public").views for number in range(20)}
    assert len(first_days) > 15
    month = [sum(audience_day(1, f"post {n}", day, 60, "public").views for n in range(20)) for day in (1, 7, 30)]
    assert month[0] > month[1] > month[2]
