"""The catalogue: complete in both languages, filled by keyword, and able to explain any error."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Conflict, NotFound, StudioError
from core.i18n import LANGUAGES, UnknownMessage, clock, duration, explain, file_size, moment, money, number, t
from core.i18n.catalogue import messages

ROOT = Path(__file__).resolve().parents[2]
PLACEHOLDER = re.compile(r"{(\w+)}")
ROOMS = ("pages", "api", "core", "workers", "providers")


def test_every_message_exists_in_every_language() -> None:
    for key, entry in messages().items():
        assert set(LANGUAGES) <= set(entry), key
        assert set(entry) <= {*LANGUAGES, "en_one", "th_one"}, key
        assert all(text.strip() for text in entry.values()), key


def test_translations_have_the_same_placeholders() -> None:
    for key, entry in messages().items():
        assert set(PLACEHOLDER.findall(entry["th"])) == set(PLACEHOLDER.findall(entry["en"])), key


def test_thai_is_thai() -> None:
    """A Thai text holds Thai letters, unless both are the same name, sign or number pattern."""
    for key, entry in messages().items():
        words = PLACEHOLDER.sub("", entry["th"])
        if entry["th"] != entry["en"] and any(char.isalpha() for char in words):
            assert any("\u0e00" <= char <= "\u0e7f" for char in words), key


def test_every_key_used_in_the_code_is_in_the_catalogue() -> None:
    used = {}
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            for key in re.findall(r'\bt\(\s*"([a-z0-9_.]+)"', path.read_text(encoding="utf-8")):
                used[key] = path
            for key in re.findall(r'"(stage\.[a-z0-9_]+)"', path.read_text(encoding="utf-8")):
                used[key] = path
    missing = {key: str(path.relative_to(ROOT)) for key, path in used.items() if key not in messages()}
    assert not missing


def test_unknown_keys_and_missing_values_are_mistakes() -> None:
    with pytest.raises(UnknownMessage):
        t("no.such.message", "en")
    with pytest.raises(KeyError):
        t("format.seconds", "en", minutes=3)


def test_one_is_singular_in_english() -> None:
    assert t("home.next_drafts", "en", count=1) == "One draft is ready to schedule"
    assert t("home.next_drafts", "en", count=3).startswith("3 drafts")


@given(st.text())
def test_values_are_never_parsed(value: str) -> None:
    assert t("format.seconds", "en", seconds=value) == f"{value} s"


def test_an_error_without_translation_keeps_its_words_as_detail() -> None:
    title, detail = explain(NotFound("A sentence nobody translated."), "th")
    assert "ไม่พบ" in title
    assert "A sentence nobody translated." in detail
    assert explain(NotFound("A sentence nobody translated.", "More."), "en") == (
        "A sentence nobody translated.",
        "More.",
    )


def test_a_listed_sentence_is_translated_with_its_values() -> None:
    title, _ = explain(Conflict("This job has ended already."), "th")
    assert title == "งานนี้จบไปแล้ว"
    stored = StudioError("3 results were made from this file.").as_dict()
    assert explain(stored, "th")[0] == "มีผลงาน 3 ชิ้นที่ทำจากไฟล์นี้"


@given(st.floats(min_value=0, max_value=400_000))
def test_clock_reads_back(seconds: float) -> None:
    parts = [int(part) for part in clock(seconds).split(":")]
    assert sum(value * 60**power for power, value in enumerate(reversed(parts))) == int(seconds)


def test_durations_sizes_numbers_money_and_moments() -> None:
    assert [duration(value, "en") for value in (8, 8.26, 59.6, 125, 3780)] == [
        "8 s",
        "8.3 s",
        "1 min",
        "2 min 5 s",
        "1 h 3 min",
    ]
    assert [file_size(value) for value in (0, 999, 1500, 812_000, 1_400_000_000)] == [
        "0 B",
        "999 B",
        "1.5 kB",
        "812 kB",
        "1.4 GB",
    ]
    assert number(12340) == "12,340"
    assert number(Decimal("3.50")) == "3.5"
    assert money(Decimal("1250"), "THB") == "฿1,250.00"
    assert money(Decimal("-3.2"), "USD") == "−$3.20"
    assert money(Decimal("1000"), "SEK") == "1,000.00 SEK"
    at = datetime(2026, 11, 22, 18, 5, tzinfo=UTC)
    assert moment(at, "th", "Asia/Bangkok") == "23 พ.ย. 2026 01:05 น."
    assert moment(at, "en", "Asia/Bangkok") == "23 Nov 2026, 01:05"
    assert moment(date(2026, 1, 9), "en") == "9 Jan 2026"
    with pytest.raises(ValueError, match="time zone"):
        moment(datetime(2026, 1, 1), "en")
