"""What of a language model's words may be shown: numbers come from cells alone (A4)."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.advisor.grounding import LINES, Ungrounded, own_numbers, write
from core.advisor.render import Draft
from core.advisor.results import Cell, Column, Result

QUERY = UUID(int=7)


def result() -> Result:
    columns = (Column("title", "text"), Column("revenue", "money"))
    rows = [{"title": "Tea 101", "revenue": Decimal("300")}, {"title": "Rice", "revenue": Decimal("20.5")}]
    made = Result("top_episodes", columns, rows, "SELECT 1", {}, "THB", False, query_id=QUERY)
    made.derived["count"] = Cell(2, "count", "number of rows")
    return made


def written(words: str, names: tuple[str, ...] = ("Tea 101", "Rice")) -> tuple[str, list[tuple[str, str]]]:
    draft = Draft("en", ZoneInfo("UTC"))
    write(draft, words, {"q1": result()}, names)
    text, spans = draft.finish()
    assert all(span.query_id == QUERY for span in spans)
    return text, [(text[span.start : span.end], span.cell) for span in spans]


def test_cells_become_values_and_keep_where_they_are_from() -> None:
    text, spans = written("“Tea 101” earned [[q1:0.revenue]], “Rice” [[ q1 : 1.revenue ]].\n\nSo [[q1:count]] sold.")
    assert text == "“Tea 101” earned ฿300.00, “Rice” ฿20.50.\nSo 2 sold."
    assert spans == [("฿300.00", "0.revenue"), ("฿20.50", "1.revenue"), ("2", "count")]


@pytest.mark.parametrize(
    "words",
    [
        "It earned 300 baht.",
        "It earned ๓๐๐ บาท",
        "It earned ³⁰⁰.",
        "It earned Ⅻ baht.",
        "It earned about three hundred baht.",
        "It earned twice as much.",
        "รายได้เพิ่มขึ้นสองเท่า",
        "ขายได้ร้อยละเก้าสิบ",
        "Tea 101 did well.",
        "“Tea 102” did well.",
        "It earned [[q2:0.revenue]].",
        "It earned [[q1:9.revenue]].",
        "It earned [[q1:0.owner]].",
        "",
        "   \n\u200b\n",
        "word\n" * (LINES + 1),
    ],
)
def test_what_no_query_gave_is_not_shown(words: str) -> None:
    with pytest.raises(Ungrounded):
        written(words)


@pytest.mark.parametrize(
    "words", ["No figures yet.", "ยังไม่มีตัวเลข ลองโพสต์เพิ่ม คุณสามารถทำได้", "Make one more, soon.", "“Tea 101” first."]
)
def test_words_without_numbers_are_shown(words: str) -> None:
    assert written(words) == (words, [])


def test_a_name_of_digits_helps_only_in_quotation_marks() -> None:
    assert own_numbers("It earned 300.", ["300"]) == ["300."]
    assert own_numbers("“300” won.", ["300"]) == []


@given(st.text(max_size=200))
def test_no_digit_of_a_text_is_ever_shown(words: str) -> None:
    """Whatever a model writes: either it is refused, or every digit shown lies in a value of a cell."""
    draft = Draft("en", ZoneInfo("UTC"))
    try:
        write(draft, words, {"q1": result()}, ())
    except Ungrounded:
        return
    text, spans = draft.finish()
    outside = "".join(
        character for index, character in enumerate(text) if not any(span.start <= index < span.end for span in spans)
    )
    assert not any(character.isnumeric() for character in outside if not "\u4e00" <= character <= "\u9fff")
