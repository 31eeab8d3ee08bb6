"""Where everything of an episode stands, its chapters, and its item in the feed (M7)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from uuid import UUID
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from core.errors import InvalidInput
from core.music import feed, podcast
from core.music.podcast_payloads import Chapter, PodcastInput, PodcastTrack, Range
from core.music.podcast_text import chapters_of, ranges_of, seconds_of, written
from core.video.payloads import AutoCutSilence
from core.video.plan import Measured
from core.video.timeline import Word
from providers.audio import tags

SOUND = UUID(int=1)
NS = {"itunes": feed.ITUNES, "podcast": feed.PODCAST, "content": feed.CONTENT}


def track(**fields: Any) -> PodcastTrack:
    return PodcastTrack.model_validate({"asset_id": SOUND, **fields})


def order(**fields: Any) -> PodcastInput:
    return PodcastInput.model_validate({"tracks": [{"asset_id": SOUND}], "title": "One", **fields})


def test_what_makes_no_sense_is_refused() -> None:
    for fields in (
        {"tracks": []},
        {"tracks": [{"asset_id": SOUND, "role": "music"}]},
        {"tracks": [{"asset_id": SOUND, "trim": {"start": 5, "end": 5}}]},
        {"title": "  "},
        {"format": "wav"},
        {"chapters": "some"},
        {"chapters": [{"start": 5, "title": "a"}, {"start": 5.5, "title": "b"}]},
        {"operations": [{"type": "duck"}, {"type": "duck"}]},
        {"operations": [{"type": "stereo", "mode": "mono"}]},
        {"media_base_url": "javascript:alert(1)"},
        {"published_at": "2030-01-01T10:00:00"},
    ):
        with pytest.raises(ValidationError):
            order(**fields)


@given(st.lists(st.floats(0.5, 400), min_size=1, max_size=8), st.floats(0, 10))
def test_voices_follow_each_other_without_gaps(lengths: list[float], crossfade: float) -> None:
    placed = podcast.arranged([track()] * len(lengths), lengths, crossfade)
    assert placed[0].start == 0
    for before, after in pairwise(placed):
        overlap = before.end - after.start
        assert overlap == pytest.approx(min(crossfade, before.length / 2, after.length / 2))
        assert (before.fade_out, after.fade_in) == (pytest.approx(overlap), pytest.approx(overlap))
    assert [one.length for one in placed] == lengths


@given(st.floats(1, 60), st.floats(1, 300), st.floats(1, 60), st.floats(5, 100))
def test_themes_stand_around_the_voice_and_a_bed_under_all(
    intro: float, voice: float, outro: float, bed: float
) -> None:
    tracks = [
        track(role="music", placement="under"), track(role="music", placement="outro"), track(),
        track(role="music", placement="intro"),
    ]  # fmt: skip
    under, after, spoken, before = podcast.arranged(tracks, [bed, outro, voice, intro], 0.5)
    assert (before.start, before.end) == (0, intro)
    assert 0 <= before.end - spoken.start <= 3.0 + 1e-9
    assert 0 <= spoken.end - after.start <= 3.0 + 1e-9
    assert after.end >= spoken.end
    assert (under.start, under.loops) == (0, True)
    assert under.end == pytest.approx(max(after.end, spoken.end, before.end))


def test_what_has_a_start_stands_there() -> None:
    first, ad, music = podcast.arranged(
        [track(start=2), track(role="ad"), track(role="music", start=7.5)], [10, 5, 4], 0.0
    )
    assert (first.start, ad.start, music.start, music.end) == (2, 12, 7.5, 11.5)


@given(
    st.floats(5, 60),
    st.lists(st.tuples(st.floats(0, 60), st.floats(0.5, 20)), max_size=5),
    st.one_of(st.none(), st.tuples(st.floats(0, 4), st.floats(4.5, 60))),
)
def test_what_stays_is_inside_the_trim_and_outside_the_cuts(
    seconds: float, cuts: list[tuple[float, float]], trim: tuple[float, float] | None
) -> None:
    wanted = track(
        cuts=[{"start": start, "end": start + length} for start, length in cuts],
        trim=Range(start=trim[0], end=trim[1]) if trim else None,
    )
    try:
        spans = podcast.kept_spans(wanted, seconds, (), Measured())
    except InvalidInput:
        return
    assert all(0 <= start < end <= seconds + 0.001 for start, end in spans)
    assert all(a[1] < b[0] for a, b in pairwise(spans))
    for start, end in spans:
        middle = (start + end) / 2
        assert trim is None or trim[0] - 0.2 <= middle <= trim[1] + 0.2
        assert not any(a + 0.2 < middle < a + length - 0.2 for a, length in cuts)


def said(text: str, start: float = 0.0, pace: float = 0.4) -> list[Word]:
    return [
        Word(word=word, start=start + index * pace, end=start + index * pace + pace * 0.8)
        for index, word in enumerate(text.split())
    ]


def test_pauses_of_a_voice_go_and_its_words_move_up() -> None:
    words = [*said("One two three."), *said("Four five six.", start=6.0)]
    levels = [-20.0 if any(w.start <= i / 100 < w.end for w in words) else -70.0 for i in range(800)]
    spans = podcast.kept_spans(track(), 8.0, [AutoCutSilence()], Measured(tuple(words), "en", levels))
    assert len(spans) == 2
    kept = podcast.kept_words(words, spans)
    assert [word.word for word in kept] == [word.word for word in words]
    assert kept[3].start - kept[2].end < 0.5
    assert podcast.kept_spans(track(role="music"), 8.0, [AutoCutSilence()], Measured()) == [(0.0, 8.0)]


TALK = (
    "Today we look at bread. Good bread needs flour and water and salt. The flour gives the bread its taste. "
    "The second part is about coffee. Good coffee needs fresh beans and clean water. Grind the beans before you brew. "
    "Finally we talk about bicycles. A bicycle needs air in its tires. Pump the tires every week."
)


def test_chapters_begin_where_the_talk_turns() -> None:
    words: list[Word] = []
    at = 3.0
    for index, sentence in enumerate(TALK.split(". ")):
        if index in (3, 6):
            at += 3.0
        words += said(sentence.rstrip(".") + ".", at)
        at = words[-1].end + 0.3
    total = at + 2
    found = podcast.automatic_chapters(words, total)
    turns = [next(word.start for word in words if word.word == first) for first in ("second", "Finally")]
    assert found[0].start == 0
    assert len(found) == 3
    assert [one.start for one in found[1:]] == [pytest.approx(turn, abs=0.5) for turn in turns]
    assert len({one.title for one in found}) == 3
    with_ad = podcast.automatic_chapters(words, total, [(turns[0] - 3.0, turns[0] - 0.5, "Our sponsor")])
    assert "Our sponsor" in [one.title for one in with_ad]


@given(st.lists(st.tuples(st.floats(0, 3000), st.floats(1, 60)), max_size=6), st.integers(0, 200), st.floats(0.1, 2))
def test_chapters_are_always_in_order_and_inside(ads: list[tuple[float, float]], count: int, pause: float) -> None:
    words = [
        Word(word=f"word{index % 17}" + ("." if index % 9 == 8 else ""), start=index * pause, end=index * pause + 0.05)
        for index in range(count)
    ]
    total = max([3100.0, *(word.end for word in words)])
    found = podcast.automatic_chapters(words, total, [(start, start + length, "Ad") for start, length in ads])
    assert found
    assert all(b.start - a.start >= 1 for a, b in pairwise(found))
    assert all(0 <= one.start < total and one.title for one in found)


def test_a_chapter_after_the_end_is_refused() -> None:
    with pytest.raises(InvalidInput, match="after the end"):
        podcast.checked_chapters([Chapter(start=100, title="Late")], 60)


def test_the_loudness_is_the_usual_one_or_the_one_asked_for() -> None:
    assert podcast.loudness_target(order()) == -16
    assert podcast.loudness_target(order(channels="mono")) == -19
    assert podcast.loudness_target(order(operations=[{"type": "normalize", "target_lufs": -18}])) == -18


def read(wanted: PodcastInput, chapters: list[Chapter]) -> ElementTree.Element:
    text = feed.item(
        wanted, chapters, file_name="One & two.mp3", size_bytes=1234, seconds=61.4, identifier="abc",
        chapters_name="One chapters.json" if chapters else None, made_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    )  # fmt: skip
    return ElementTree.fromstring(text.encode())


def test_the_item_of_the_feed_says_what_players_need() -> None:
    wanted = order(
        title='Salt & "pepper" <b>', author="Somebody", number=3, season=2, explicit=True,
        media_base_url="https://example.com/podcast/", format="m4a", published_at="2030-05-01T18:00:00+07:00",
        show_notes="First.\nLine <script>alert(1)</script>\n\nSee https://example.com/a?b=1&c=2, please.",
    )  # fmt: skip
    found = read(wanted, [Chapter(start=0, title="A < B"), Chapter(start=3661, title="C")])
    assert found.findtext("title") == 'Salt & "pepper" <b>'
    enclosure = found.find("enclosure")
    assert enclosure is not None
    assert enclosure.attrib == {
        "url": "https://example.com/podcast/One%20%26%20two.mp3", "length": "1234", "type": "audio/x-m4a"
    }  # fmt: skip
    assert found.findtext("pubDate") == "Wed, 01 May 2030 18:00:00 +0700"
    guid = found.find("guid")
    assert guid is not None
    assert (guid.text, guid.get("isPermaLink")) == ("abc", "false")
    itunes = {
        name: found.findtext(f"itunes:{name}", namespaces=NS) for name in ("duration", "explicit", "episode", "season")
    }
    assert itunes == {"duration": "61", "explicit": "true", "episode": "3", "season": "2"}
    chapters = found.find("podcast:chapters", NS)
    assert chapters is not None
    assert chapters.get("url") == "https://example.com/podcast/One%20chapters.json"
    notes = found.findtext("content:encoded", namespaces=NS)
    assert notes == found.findtext("description")
    assert notes == (
        "<p>First.<br>Line &lt;script&gt;alert(1)&lt;/script&gt;</p>"
        '<p>See <a href="https://example.com/a?b=1&amp;c=2">https://example.com/a?b=1&amp;c=2</a>, please.</p>'
        "<p>00:00 A &lt; B<br>1:01:01 C</p>"
    )


@given(st.text(max_size=200), st.text(max_size=200).filter(str.strip))
def test_whatever_is_written_the_feed_stays_well_formed(notes: str, title: str) -> None:
    title = title.strip()[:200]
    try:
        wanted = order(title=title, show_notes=notes)
        wanted.model_dump_json().encode()
    except (ValidationError, UnicodeEncodeError, ValueError):
        return
    found = read(wanted, [])
    assert found.find("script") is None
    assert len(found.findall("title")) == 1
    assert "<script" not in (found.findtext("description") or "")


def test_chapters_for_players_that_read_json() -> None:
    told = json.loads(feed.chapters_json([Chapter(start=0, title="ก"), Chapter(start=12.5, title="B")]))
    assert told == {
        "version": "1.2.0", "chapters": [{"startTime": 0.0, "title": "ก"}, {"startTime": 12.5, "title": "B"}]
    }  # fmt: skip


def test_tags_are_escaped_and_empty_ones_left_out() -> None:
    text = tags.ffmetadata({"title": "a=b;c#d\\e\nf", "artist": ""}, [Chapter(start=1.5, title="x=y")], 4.25)
    assert text == (
        ";FFMETADATA1\ntitle=a\\=b\\;c\\#d\\\\e\\\nf\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=1500\nEND=4250\ntitle=x\\=y\n"
    )


@given(st.integers(0, 80_000), st.integers(1, 4_000))
def test_times_are_read_as_they_are_shown(start: int, length: int) -> None:
    assert seconds_of(feed.stamp(start)) == start
    (found,) = ranges_of(f" {feed.stamp(start)} – {feed.stamp(start + length)},")
    assert (found.start, found.end) == (start, start + length)
    assert chapters_of(f"[{feed.stamp(start)}] - A: title 2") == (Chapter(start=start, title="A: title 2"),)


@given(st.floats(0, 86_000))
def test_times_written_are_read_to_the_millisecond(seconds: float) -> None:
    assert seconds_of(written(seconds)) == pytest.approx(seconds, abs=0.0006)


def test_what_is_no_time_is_said() -> None:
    for wrong in ("soon", "1:05", "3:00-2:00", "1-2-3"):
        with pytest.raises(InvalidInput):
            ranges_of(wrong)
    with pytest.raises(InvalidInput, match="is not a chapter"):
        chapters_of("0:00 Start\nno time here")
    assert [one.title for one in chapters_of("2:30 B\n\n0 A\n1:00:00 ค")] == ["A", "B", "ค"]
