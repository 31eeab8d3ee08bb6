"""The days a question speaks of: worked out by hand for a Thursday, in English and Thai (A1)."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.advisor.naming import ordinary
from core.advisor.periods import Ahead, coming, spoken

TODAY = date(2026, 11, 26)
"""A Thursday."""


@pytest.mark.parametrize(
    ("question", "start", "end"),
    [
        ("what earned most", None, "2026-11-26"),
        ("what earned most since monday", "2026-11-23", "2026-11-26"),
        ("Since Thursday, what lost money?", "2026-11-26", "2026-11-26"),
        ("since last thursday", "2026-11-19", "2026-11-26"),
        ("since last week", "2026-11-16", "2026-11-26"),
        ("since the beginning of the month", "2026-11-01", "2026-11-26"),
        ("since 1 March", "2026-03-01", "2026-11-26"),
        ("since january", "2026-01-01", "2026-11-26"),
        ("since december", "2025-12-01", "2026-11-26"),
        ("top earner last week", "2026-11-16", "2026-11-22"),
        ("top earner the week before last", "2026-11-09", "2026-11-15"),
        ("what lost money two weeks ago", "2026-11-09", "2026-11-15"),
        ("what earned most 3 days ago", "2026-11-23", "2026-11-23"),
        ("what earned most three months ago", "2026-08-01", "2026-08-31"),
        ("revenue in the past 14 days", "2026-11-13", "2026-11-26"),
        ("over the last couple of weeks", "2026-11-13", "2026-11-26"),
        ("in the past thirty days", "2026-10-28", "2026-11-26"),
        ("income over the last quarter", "2026-07-01", "2026-09-30"),
        ("this quarter", "2026-10-01", "2026-11-26"),
        ("best paying in q1", "2026-01-01", "2026-03-31"),
        ("most in 2025", "2025-01-01", "2025-12-31"),
        ("what earned most in march", "2026-03-01", "2026-03-31"),
        ("what earned most in december", "2025-12-01", "2025-12-31"),
        ("what earned most in May 2024", "2024-05-01", "2024-05-31"),
        ("what may have lost money", None, "2026-11-26"),
        ("from 1 march to 10 march", "2026-03-01", "2026-03-10"),
        ("between 2026-03-05 and 2026-03-01", "2026-03-01", "2026-03-05"),
        ("on March 3rd", "2026-03-03", "2026-03-03"),
        ("what earned most on friday", "2026-11-20", "2026-11-20"),
        ("what earned most over the weekend", "2026-11-21", "2026-11-22"),
        ("last night", "2026-11-25", "2026-11-25"),
        ("month to date", "2026-11-01", "2026-11-26"),
        ("has anything left after costs last month", "2026-10-01", "2026-10-31"),
        ("เดือนที่แล้วขาดทุนตอนไหน", "2026-10-01", "2026-10-31"),
        ("เดือนที่เเล้วขาดทุนตอนไหน", "2026-10-01", "2026-10-31"),
        ("สัปดาห์นี้คลิปไหนทำเงิน", "2026-11-23", "2026-11-26"),
        ("อาทิตย์ที่แล้วใครทำเงินสูงสุด", "2026-11-16", "2026-11-22"),
        ("วันอาทิตย์คลิปไหนได้เงิน", "2026-11-22", "2026-11-22"),
        ("ตั้งแต่วันจันทร์คลิปไหนทำเงินสุด", "2026-11-23", "2026-11-26"),
        ("ตั้งแต่ต้นเดือนขาดทุนอะไร", "2026-11-01", "2026-11-26"),
        ("ตั้งแต่ต้นปี", "2026-01-01", "2026-11-26"),
        ("รายได้ 7 วันที่ผ่านมา", "2026-11-20", "2026-11-26"),
        ("๗ วันที่ผ่านมา", "2026-11-20", "2026-11-26"),
        ("สองอาทิตย์ที่ผ่านมา", "2026-11-13", "2026-11-26"),
        ("สองอาทิตย์ก่อน", "2026-11-09", "2026-11-15"),
        ("เมื่อวานซืน", "2026-11-24", "2026-11-24"),
        ("ศุกร์ที่แล้ว", "2026-11-20", "2026-11-20"),
        ("3 มีค ได้เท่าไหร่", "2026-03-03", "2026-03-03"),
        ("เดือนกค.ตอนไหนทำเงิน", "2026-07-01", "2026-07-31"),
        ("เดือน มี.ค. ได้เท่าไหร่", "2026-03-01", "2026-03-31"),
        ("ปี 2568 ตอนไหนทำเงินสุด", "2025-01-01", "2025-12-31"),
        ("วันที่ 3 มีนาคม 2568", "2025-03-03", "2025-03-03"),
        ("1-10 มีนาคม", "2026-03-01", "2026-03-10"),
        ("ไตรมาสที่แล้ว", "2026-07-01", "2026-09-30"),
        ("เสาร์อาทิตย์ที่ผ่านมา", "2026-11-21", "2026-11-22"),
    ],
)
def test_days_gone_by(question: str, start: str | None, end: str) -> None:
    found = spoken(question, TODAY).period
    assert (found.start and found.start.isoformat(), found.end.isoformat()) == (start, end)


@pytest.mark.parametrize(
    ("question", "first", "last"),
    [
        ("what is scheduled today", None, "2026-11-26"),
        ("what posts tomorrow", "2026-11-27", "2026-11-27"),
        ("anything the day after tomorrow", "2026-11-28", "2026-11-28"),
        ("anything lined up for friday", "2026-11-27", "2026-11-27"),
        ("next friday", "2026-12-04", "2026-12-04"),
        ("what goes out by sunday", None, "2026-11-29"),
        ("what goes out before sunday", None, "2026-11-28"),
        ("this weekend", "2026-11-28", "2026-11-29"),
        ("this week", None, "2026-11-29"),
        ("next week", "2026-11-30", "2026-12-06"),
        ("next month", "2026-12-01", "2026-12-31"),
        ("in the next 3 days", None, "2026-11-29"),
        ("on 3 december", "2026-12-03", "2026-12-03"),
        ("in january", "2027-01-01", "2027-01-31"),
        ("พรุ่งนี้มีอะไรลง", "2026-11-27", "2026-11-27"),
        ("มะรืนนี้", "2026-11-28", "2026-11-28"),
        ("คืนนี้", None, "2026-11-26"),
        ("วันศุกร์ลงคลิปอะไร", "2026-11-27", "2026-11-27"),
        ("ศุกร์หน้า", "2026-12-04", "2026-12-04"),
        ("วันอาทิตย์ลงอะไร", "2026-11-29", "2026-11-29"),
        ("อาทิตย์หน้าลงอะไร", "2026-11-30", "2026-12-06"),
        ("อีก 3 วันมีอะไรลง", None, "2026-11-29"),
        ("วันที่ 3 ธันวา", "2026-12-03", "2026-12-03"),
    ],
)
def test_days_to_come(question: str, first: str | None, last: str) -> None:
    assert coming(question, TODAY) == Ahead(first and date.fromisoformat(first), date.fromisoformat(last))


def test_no_time_means_everything() -> None:
    for question in (
        "what is scheduled",
        "มีอะไรตั้งเวลาไว้บ้าง",
        "top 3 shorts",
        "did it get 2500 views",
        "this may have lost money",
        "มีคลิปไหนไม่คุ้มทุนมั้ย",
        "3 มีคลิปไหนบ้าง",
        "รายได้มาจากคลิปไหนเยอะสุดบ้าง",
        "รายได้มากค่าใช้จ่ายน้อย",
    ):
        assert coming(question, TODAY) is None
        assert spoken(question, TODAY).period.start is None


TIMES = (
    "since",
    "last",
    "2",
    "30",
    "29 february",
    "friday",
    "weeks ago",
    "ปี",
    "ตั้งแต่",
    "วัน",
    "เดือน",
    "9999",
    "feb",
    "q4",
)


@given(
    st.one_of(st.text(max_size=100), st.lists(st.sampled_from(TIMES), max_size=8).map(" ".join)),
    st.dates(date(2024, 1, 1), date(2032, 12, 31)),
)
def test_no_text_breaks_it_and_the_past_is_past(question: str, today: date) -> None:
    found = spoken(question, today).period
    assert found.start is None or found.start <= found.end
    ahead = coming(question, today)
    assert ahead is None or ahead.first is None or ahead.first <= ahead.last


@pytest.mark.parametrize("name", ["Episodes", "My channel", "Shorts", "Videos", "ช่องของฉัน", "ตอนทั้งหมด", "คลิปสั้น"])
def test_a_name_of_ordinary_words_is_no_mention(name: str) -> None:
    assert ordinary(name)


@pytest.mark.parametrize("name", ["Kitchen shorts", "Garden", "ครัวคุณแม่", "Tech ไทย"])
def test_a_name_of_its_own_is_one(name: str) -> None:
    assert not ordinary(name)
