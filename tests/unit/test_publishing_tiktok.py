"""TikTok's chunk arithmetic, the classes of its refusals, captions, and the ids in addresses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from core.publishing import preflight
from core.publishing.addresses import post_id
from core.publishing.captions import caption_of, hashtag, units
from core.publishing.rules import RULES
from core.publishing.tiktok import LEVELS, PRIVACIES, classify
from providers.publishing.tiktok_chunks import Chunks, chunks_of

MEGA, MEBI = 10**6, 2**20


@pytest.mark.parametrize(
    ("size", "chunk_size", "count", "last"),
    [
        (50_000_123, 10 * MEGA, 5, (40_000_000, 50_000_123)),
        (4_999_999, 10 * MEGA, 1, (0, 4_999_999)),
        (64 * MEBI + 1, 10 * MEBI, 6, (52_428_800, 67_108_865)),
    ],
)
def test_the_vendors_examples(size: int, chunk_size: int, count: int, last: tuple[int, int]) -> None:
    chunks = chunks_of(size, chunk_size)
    assert (chunks.count, chunks.range_of(chunks.count - 1)) == (count, last)


boundaries = [5 * MEGA, 5 * MEBI, 10 * MEGA, 20 * MEGA, 64 * MEGA, 64 * MEBI, 128 * MEGA, 10_000 * MEGA, 64_000 * MEGA]
sizes = st.one_of(
    st.integers(1, 64_000 * MEGA),
    st.integers(1, 200 * MEGA),
    st.builds(lambda at, by: max(1, min(at + by, 64_000 * MEGA)), st.sampled_from(boundaries), st.integers(-2, 2)),
)


@given(sizes, st.integers(5 * MEBI, 64 * MEGA))
def test_chunks_are_allowed_in_both_readings_of_mb_and_cover_the_file(size: int, wanted: int) -> None:
    chunks = chunks_of(size, wanted)
    assert chunks.count == size // chunks.chunk_size
    assert 1 <= chunks.count <= 1000
    ranges = [chunks.range_of(index) for index in range(chunks.count)]
    assert ranges[0][0] == 0
    assert ranges[-1][1] == size
    assert all(one[1] == following[0] for one, following in pairwise(ranges))
    lengths = [end - start for start, end in ranges]
    for mb in (MEGA, MEBI):
        if size < 5 * mb:
            assert chunks == Chunks(size, size, 1)
        else:
            assert chunks.chunk_size >= 5 * mb or chunks.count == 1
        assert size <= 64 * mb or chunks.count > 1 or size < 2 * chunks.chunk_size
        assert all(length <= 64 * mb for length in lengths[:-1])
        assert lengths[-1] <= 128 * mb
    assert chunks.count > 1 or size <= 64 * MEGA, "a file past 64 MB has several"
    for index, (start, end) in enumerate(ranges[:3]):
        assert chunks.index_at(start) == chunks.index_at(end - 1) == index


@pytest.mark.parametrize(("size", "chunk_size"), [(0, 10 * MEGA), (-1, 10 * MEGA), (64_001 * MEGA, 64 * MEGA), (9, 5)])
def test_what_cannot_be_cut_is_refused(size: int, chunk_size: int) -> None:
    with pytest.raises(ValueError, match="bytes"):
        chunks_of(size, chunk_size)


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (401, "access_token_invalid", "auth"),
        (401, "scope_not_authorized", "auth"),
        (429, "rate_limit_exceeded", "throttled"),
        (200, "rate_limit_exceeded", "throttled"),
        (403, "spam_risk_too_many_posts", "quota"),
        (403, "spam_risk_too_many_pending_share", "quota"),
        (403, "reached_active_user_cap", "quota"),
        (403, "privacy_level_option_mismatch", "rejected"),
        (403, "unaudited_client_can_only_post_to_private_accounts", "rejected"),
        (403, "spam_risk_user_banned_from_posting", "rejected"),
        (400, "invalid_params", "rejected"),
        (200, "internal_error", "transient"),
        (503, "503", "transient"),
        (400, "some new word", "rejected"),
    ],
)
def test_each_refusal_has_its_class(status: int, code: str, expected: str) -> None:
    assert classify(status, code, "401 429 ok", kind="status").error_class == expected


def test_limits_say_when_and_for_whom_they_end() -> None:
    now = datetime.now(UTC)
    minute = classify(429, "rate_limit_exceeded", "", kind="status", retry_after=None)
    assert minute.retry_at is not None
    assert timedelta(seconds=59) < minute.retry_at - now < timedelta(seconds=62)
    assert (minute.limit_kind, minute.whole_application) == ("status", False)
    told = classify(429, "rate_limit_exceeded", "", kind="status", retry_after="7").retry_at
    assert told is not None
    assert told - now < timedelta(seconds=9)
    day = classify(403, "reached_active_user_cap", "", kind="x")
    assert day.retry_at is not None
    assert day.retry_at - now > timedelta(hours=23)
    assert (day.limit_kind, day.whole_application) == ("video.init", True)


def test_every_word_for_who_may_see_it_is_known_to_the_rules() -> None:
    assert set(PRIVACIES.values()) == set(RULES["tiktok"].privacies) == set(LEVELS)


@pytest.mark.parametrize(
    ("title", "description", "tags", "expected"),
    [
        ("Soup", "", [], "Soup"),
        ("Soup", "Hot.", ["street food", "ต้มยำ"], "Soup\n\nHot.\n\n#StreetFood #ต้มยำ"),
        ("Soup", "Soup at night", ["Soup"], "Soup at night\n\n#Soup"),
        ("Soup", "Try it #soup", ["soup", "!!", "soup"], "Soup\n\nTry it #soup"),
    ],
)
def test_one_text_of_title_description_and_tags(title: str, description: str, tags: list[str], expected: str) -> None:
    assert caption_of(title, description, tags) == expected


@given(st.text(max_size=60))
def test_a_hashtag_is_one_word(text: str) -> None:
    made = hashtag(text)
    assert made == "" or (made[0] == "#" and len(made.split()) == 1 and len(made) > 1)


@given(st.text(max_size=3000), st.text(max_size=3000), st.lists(st.text(max_size=40), max_size=20))
def test_what_passes_the_preflight_is_what_fits(title: str, description: str, tags: list[str]) -> None:
    found = {issue.code for issue in preflight.check_text(RULES["tiktok"], title, description, tags, "public")}
    assert ("caption_long" in found) == (units(caption_of(title, description, tags)) > 2200)
    assert units("😀") == 2


def test_who_sees_it_has_to_be_chosen() -> None:
    assert [each.code for each in preflight.check_text(RULES["tiktok"], "t", "", [], "")] == ["privacy_open"]
    assert [each.code for each in preflight.check_text(RULES["tiktok"], "t", "", [], "unlisted")] == ["privacy"]
    assert preflight.check_text(RULES["tiktok"], "t", "", [], "friends") == []


def test_ids_in_addresses() -> None:
    for text in ("7400000000000000001", "https://www.tiktok.com/@a.b/video/7400000000000000001?lang=th"):
        assert post_id("tiktok", text) == "7400000000000000001"
    for text in ("v_pub_file~v2-1.5", "https://www.tiktok.com/@a", "https://evil.example/@a/video/7400000000000000001"):
        with pytest.raises(InvalidInput):
            post_id("tiktok", text)
