"""Files of AdSense and YouTube Studio: their columns, languages, encodings; odd and hostile lines are named (B4)."""

from __future__ import annotations

import io
import zipfile
from contextlib import suppress
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.business.exports import Entry, read
from core.errors import InvalidInput, StudioError, TooLarge

STUDIO = (
    "Date,Content,Video title,Video publish time,Views,RPM (USD),Your estimated revenue (USD),YouTube ads (USD)\n"
    "Total,,,,900,4.10,3.75,3.00\n"
    '2026-03-01,vid_A,"Soup, in five minutes","Feb 27, 2026",500,4.00,2.500,2.0\n'
    '2026-03-02,vid_A,Soup,"Feb 27, 2026",300,4.10,1.25,1.0\n'
    '2026-03-02,vid_B,Tea,"Mar 1, 2026",100,,,\n'
)
ADSENSE = (
    "Date\tEstimated earnings (THB)\tPage views\tImpression RPM (THB)\r\n"
    "2026-03-01\t1,234.50\t10\t1.20\r\n2026-03-02\t0.00\t2\t0.10\r\nTotal\t1,234.50\t12\t\r\nAverage\t617.25\t6\t\r\n"
)


def _zip(**files: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in files.items():
            archive.writestr(f"{name.replace('_', ' ')}.csv", text)
    return made.getvalue()


def test_youtube_studio_by_day_and_video() -> None:
    found = read(STUDIO.encode())
    assert found is not None
    assert (found.source, found.currency, found.left_out) == ("youtube_studio", "USD", (2,))
    assert found.entries == (
        Entry(3, date(2026, 3, 1), Decimal("2.5"), "vid_A", "Soup, in five minutes"),
        Entry(4, date(2026, 3, 2), Decimal("1.25"), "vid_A", "Soup"),
        Entry(5, date(2026, 3, 2), Decimal(0), "vid_B", "Tea"),
    )


def test_adsense_in_utf_16_with_tabs() -> None:
    for content in (ADSENSE.encode("utf-16"), ("\ufeff" + ADSENSE).encode(), ADSENSE.replace("\t", ";").encode()):
        found = read(content)
        assert found is not None
        assert (found.source, found.currency, found.left_out) == ("adsense", "THB", (4, 5))
        assert [(entry.day.day, entry.amount) for entry in found.entries] == [(1, Decimal("1234.5")), (2, Decimal(0))]


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("วันที่,เนื้อหา,ชื่อวิดีโอ,รายได้โดยประมาณของคุณ (THB)\nผลรวม,,,5\n2026-03-01,v,ซุป,1234.50\n", "1234.5", "THB"),
        (
            "Datum;Inhalte;Videotitel;Geschätzter Umsatz (EUR)\nGesamt;;;5\n2026-03-01;v;Ei;1.234,50\n",
            "1234.5",
            "EUR",
        ),
        ("Date,Contenido,Ingresos estimados (MXN),RPM (MXN)\n2026-03-01,v,12.5,1\n", "12.5", "MXN"),
        ('Date,Estimated revenue (USD)\n"Mar 1, 2026",-0.30\n', "-0.3", "USD"),
    ],
)
def test_other_languages_and_ways_to_write_numbers(text: str, amount: str, currency: str) -> None:
    found = read(text.encode())
    assert found is not None
    assert found.currency == currency
    assert [(entry.day, entry.amount) for entry in found.entries] == [(date(2026, 3, 1), Decimal(amount))]


def test_of_an_archive_the_table_that_says_most() -> None:
    totals = "Date,Estimated revenue (USD)\n2026-03-01,9\n"
    table = "Content,Video title,Estimated revenue (USD)\nTotal,,9\nv,Soup,9\n"
    chart = "Date,Content,Video title,Estimated revenue (USD)\n2026-03-01,v,Soup,9\n"
    found = read(_zip(Table_data=table, Totals=totals, Chart_data=chart))
    assert found is not None
    assert found.entries[0].video == "v"
    found = read(_zip(Table_data=table, Totals=totals))
    assert found is not None
    assert (found.entries[0].video, found.entries[0].amount) == ("", Decimal(9))
    with pytest.raises(InvalidInput, match="on which days"):
        read(_zip(Table_data=table))
    with pytest.raises(InvalidInput, match="no revenue"):
        read(_zip(Table_data="Content,Views\nv,3\n"))
    with pytest.raises(InvalidInput, match="damaged"):
        read(_zip(Totals=totals)[:-30])
    with pytest.raises(TooLarge):
        read(_zip(Totals=totals + " " * 21_000_000))


def test_lines_of_one_day_and_video_are_added_up() -> None:
    found = read(b"Date,Site,Estimated earnings (USD)\n2026-03-01,a,1.5\n2026-03-01,b,2\n2026-03-02,a,1\n")
    assert found is not None
    assert [(entry.line, entry.amount) for entry in found.entries] == [(2, Decimal("3.5")), (4, Decimal(1))]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Date,Estimated revenue (USD)\n2026-03-01,1\n2026-03-02,lots\n", "Line 3: “lots”"),
        ("Date,Estimated revenue (USD)\n01/02/2026,1\n", "Line 2: “01/02/2026” is not a day"),
        ("Date,Estimated revenue (USD)\n2026-03-01,1,250.00\n", "Line 2: It has more or fewer cells"),
        ("Date,Estimated revenue (USD)\n2026-03-01\n", "Line 2: It has more or fewer cells"),
        ("Date,Estimated revenue (USD)\n2026-03-01,1e999\n", "Line 2"),
        ("Date,Estimated revenue (USD)\n2026-03-01,=1+1\n", "Line 2"),
        ("Content,Estimated revenue (USD)\nv,1\n", "which days"),
        ('Date,Estimated revenue (USD)\n2026-03-01,"1\n', "Line"),
    ],
)
def test_odd_lines_are_named(text: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=why) as refused:
        read(text.encode())
    assert refused.value.title


def test_what_is_no_export_is_left_to_others() -> None:
    for text in (
        "date,amount,episode\n2026-03-01,3,Soup\n",
        "",
        "\n\n",
        "Date,Views\n2026-03-01,3\n",
        "RPM (USD)\n3\n",
    ):
        assert read(text.encode()) is None
    assert read(b"Date,Ad revenue (USD),Premium (USD)\n2026-03-01,1,2\n") is None, "which is all of it?"


@given(
    st.binary(max_size=300)
    | st.text(max_size=300).map(str.encode)
    | st.text(max_size=200).map(lambda text: f"Date,Estimated revenue (USD)\n{text}".encode())
)
def test_whatever_comes_is_read_or_refused_with_a_sentence(content: bytes) -> None:
    with suppress(StudioError):
        found = read(content)
        assert found is None or all(entry.line > 1 for entry in found.entries)
