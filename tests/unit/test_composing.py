"""Prompts to plans to songs: what words mean in two languages; every song is playable, whole and in key (M6)."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from core.i18n.catalogue import has
from core.music.composing.harmony import FINAL, chord, form, progression
from core.music.composing.instruments import INSTRUMENTS
from core.music.composing.plan import MOST_INSTRUMENTS, Wishes, plan
from core.music.composing.prompt import FASTEST_BPM, SLOWEST_BPM, meaning, parse_any_key, tables, understand
from core.music.composing.song import BEATS, Song, compose, fit
from core.music.composing.styles import MOODS, OTHER_DRUMS, OTHER_METRES, STYLES
from core.music.generate_payloads import GenerateMusicInput
from core.music.keys import NOTES, roman_numeral
from core.music.midi import as_midi
from core.music.score import DRUMS, scale_pitches
from core.music.tabs.shapes import tones

KEYS = [f"{note}:{mode}" for note in NOTES for mode in ("maj", "min")]


def said(prompt: str) -> dict[str, Any]:
    return {name: value for name, value in vars(understand(prompt)).items() if value}


@pytest.mark.parametrize(
    ("prompt", "meant"),
    [
        ("sad piano ballad in D minor, 70 bpm",
         {"mood": "sad", "instruments": ("piano",), "bpm": 70.0, "pace": "slow", "key": "D:min"}),
        ("energetic house in F#m at 130BPM with synth and drums",
         {"mood": "energetic", "style": "house", "instruments": ("synth", "drums"), "bpm": 130.0, "key": "F#:min"}),
        ("A happy ukulele song, no drums", {"mood": "happy", "instruments": ("ukulele",), "without": ("drums",)}),
        ("without drums and bass but with strings", {"instruments": ("strings",), "without": ("drums", "bass")}),
        ("solo flute", {"instruments": ("flute",), "only": True}),
        ("jazz waltz 3/4 with double bass and electric guitar",
         {"style": "jazz", "metre": "3/4", "instruments": ("double_bass", "electric_guitar")}),
        ("2 minutes of ambient pads in Bb major, loopable",
         {"style": "ambient", "instruments": ("synth_pad",), "key": "Bb:maj", "seconds": 120.0, "loop": True}),
        ("in a minor key", {"mode": "min"}),
        ("I am in a band", {}),
        ("not too fast", {}),
        ("เพลงเศร้า เปียโน ช้าๆ คีย์ดีไมเนอร์",
         {"mood": "sad", "instruments": ("piano",), "pace": "slow", "key": "D:min"}),
        ("เพลงสนุกสนาน กีตาร์โปร่งกับกลอง ความเร็ว 120 ไม่มีเบส",
         {"mood": "happy", "instruments": ("acoustic_guitar", "drums"), "without": ("bass",), "bpm": 120.0}),
        ("เพลงวอลซ์โรแมนติก ไวโอลินกับเชลโล 30 วินาที",
         {"mood": "romantic", "style": "classical", "metre": "3/4", "instruments": ("violin", "cello"),
          "seconds": 30.0}),
    ],
)  # fmt: skip
def test_words_are_understood_and_nothing_else_is_guessed(prompt: str, meant: dict[str, Any]) -> None:
    assert said(prompt) == meant


@given(st.sampled_from(sorted(MOODS)), st.sampled_from(sorted(STYLES)), st.integers(40, 220), st.sampled_from(KEYS))
def test_what_is_said_plainly_is_understood(mood: str, style: str, bpm: int, key: str) -> None:
    note, _, mode = key.partition(":")
    prompt = f"{mood} {tables()['style'][style][0]} music, {bpm} bpm, in {note} {'minor' if mode == 'min' else 'major'}"
    found = understand(prompt)
    assert (found.mood, found.style, found.bpm, found.key) == (mood, style, float(bpm), key)


@given(st.text(max_size=300))
def test_any_text_makes_a_plan_that_keeps_its_limits(prompt: str) -> None:
    made = plan(Wishes(prompt=prompt), 3)
    assert made.mood in MOODS
    assert made.style in STYLES
    assert made.key in KEYS
    assert SLOWEST_BPM <= made.bpm <= FASTEST_BPM
    assert 1 <= len(made.instruments) <= MOST_INSTRUMENTS
    assert set(made.instruments) <= set(INSTRUMENTS)
    assert made == plan(Wishes(prompt=prompt), 3)


def test_the_vocabulary_is_the_composers() -> None:
    for kind, known in (("mood", MOODS), ("style", STYLES), ("instrument", INSTRUMENTS)):
        assert set(tables()[kind]) == set(known), kind
        for name, one in known.items():
            assert has(one.title_key), one.title_key
            assert meaning(kind, name) == name  # type: ignore[arg-type]
            thai = [word for word in tables()[kind][name] if "฀" <= word[0] <= "๿"]
            if thai:
                assert meaning(kind, thai[0]) == name, thai[0]  # type: ignore[arg-type]


def test_patterns_fill_their_bars() -> None:
    for style in STYLES.values():
        patterns = [
            style.chords,
            style.strum,
            style.arpeggio,
            style.bass,
            *(one for _, one in style.light + style.full),
        ]
        assert all(len(pattern) == 16 and set(pattern) <= set("Xx-.") for pattern in patterns), style.name
        assert set(style.players) <= set(INSTRUMENTS)
        assert style.mood in MOODS
    for metre in ("3/4", "6/8"):
        patterns = [*OTHER_METRES[metre].values(), *(one for drums in OTHER_DRUMS[metre] for _, one in drums)]
        assert {len(pattern) for pattern in patterns} == {12}


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("A:min", "A:min"), ("a minor", "A:min"), ("Am", "A:min"), ("F sharp major", "F#:maj"), ("Eb:maj", "Eb:maj"),
        ("B-flat minor", "Bb:min"), ("C", "C:maj"), ("ดีไมเนอร์", "D:min"), ("H", None), ("D:dorian", None), ("x", None),
    ],
)  # fmt: skip
def test_keys_as_people_write_them(text: str, key: str | None) -> None:
    assert parse_any_key(text) == key


songs = st.builds(
    lambda wishes, seed: (plan(wishes, seed), compose(plan(wishes, seed))),
    st.builds(
        Wishes,
        mood=st.sampled_from(sorted(MOODS)),
        style=st.sampled_from(sorted(STYLES)),
        key=st.sampled_from(KEYS),
        bpm=st.floats(40, 220),
        metre=st.sampled_from(sorted(BEATS)),
        instruments=st.lists(st.sampled_from(sorted(INSTRUMENTS)), max_size=6, unique=True).map(tuple),
        seconds=st.floats(5, 70),
        loop=st.booleans(),
    ),
    st.integers(0, 2**31 - 1),
)


@settings(max_examples=30)
@given(songs)
def test_every_song_is_whole(made: tuple[Any, Song]) -> None:
    wanted, song = made
    assert {part.name for part in song.score.parts} == set(wanted.instruments), "everybody plays"
    beat = 60 / song.score.bpm
    for part in song.score.parts:
        for note in part.notes:
            assert 0 <= note.start * beat < song.seconds
            assert note.length > 0
            assert 1 <= note.velocity <= 127
            assert 21 <= note.pitch <= 108
        ends: dict[int, float] = {}
        for note in part.notes:
            assert note.start >= ends.get(note.pitch, -1.0) - 1e-6, "a key that sounds is not struck"
            ends[note.pitch] = note.start + note.length
    bars = song.bars
    assert all(one.start + one.beats == pytest.approx(after.start) for one, after in itertools.pairwise(bars))
    assert (bars[-1].start + bars[-1].beats) * beat == pytest.approx(song.seconds, abs=1e-3)
    assert sum(count for _, count in song.sections) == len(bars)
    assert compose(wanted) == song


@settings(max_examples=30)
@given(songs)
def test_every_note_is_of_its_bars_scale_and_every_chord_of_the_key(made: tuple[Any, Song]) -> None:
    wanted, song = made
    scale = {pitch % 12 for pitch in scale_pitches(wanted.key, 60, 71)}
    for bar, one in zip(song.bars, song.chords, strict=True):
        assert set(bar.chord) <= bar.scale
        assert len(set(bar.chord) - scale) <= (wanted.key.endswith(":min") and one.degree == 5)
        assert set(tones(one.name)) <= set(bar.chord), "the name tells the notes"
        assert roman_numeral(one.name, wanted.key)
    for part in song.score.parts:
        for note in part.notes if part.program != DRUMS else ():
            # A human touch may move a note a little before its bar.
            near = [bar for bar in song.bars if bar.start - 0.1 <= note.start < bar.start + bar.beats + 0.1]
            assert any(note.pitch % 12 in bar.scale for bar in near), (part.name, note)
    if not wanted.loop:
        assert song.bars[-1].final
        assert song.chords[-1].degree == song.chords[0].degree == 1


@given(st.floats(5, 300), st.floats(40, 220), st.sampled_from([2, 3, 4]))
def test_a_loop_closes_on_a_beat_near_the_asked_tempo(seconds: float, bpm: float, metre: int) -> None:
    found, bars, extra = fit(seconds, bpm, metre, loop=True)
    beats = bars * metre + extra
    assert beats * 60 / found == pytest.approx(seconds, abs=1e-3)
    assert abs(found / bpm - 1) <= max(0.5 / (seconds * bpm / 60), 0.035) + 1e-6
    assert fit(seconds, bpm, metre, loop=False)[0] == bpm


@given(st.integers(1, 120), st.booleans())
def test_a_form_has_all_its_bars(bars: int, loop: bool) -> None:
    found = form(bars, loop=loop)
    assert sum(count for _, count in found) == bars
    assert all(count > 0 for _, count in found)
    assert not loop or not {"i", "o", FINAL} & {letter for letter, _ in found}


@given(st.integers(0, 10**6), st.sampled_from(["maj", "min"]), st.integers(2, 8), st.sampled_from([1, 4, 6]))
def test_progressions_go_where_they_should(seed: int, mode: str, length: int, first: int) -> None:
    path = progression(random.Random(seed), mode, {}, length, first=first, last=5)
    assert len(path) == length
    assert path[-1] == 5
    assert all(one != after for one, after in itertools.pairwise(path))
    assert all(chord("C:maj" if mode == "maj" else "A:min", degree).name for degree in path)


def test_what_a_score_says_of_itself_has_the_shape_of_an_analysis() -> None:
    song = compose(plan(Wishes(prompt="pop in C, 120 bpm, 40 seconds"), 1))
    found = song.as_analysis()
    assert (found["bpm"], found["key"], found["time_signature"]) == (120.0, "C:maj", "4/4")
    assert found["beats"][:5] == [0.0, 0.5, 1.0, 1.5, 2.0]
    assert found["downbeats"][1] == 2.0
    assert found["chords"][0]["time"] == 0.0
    assert found["chords"][-1]["end"] == found["sections"][-1]["end"] == 40.0
    assert [one["name"] for one in found["sections"]][:3] == ["intro", "verse", "chorus"]


def test_another_seed_gives_another_song() -> None:
    made = {compose(plan(Wishes(prompt="calm piano in C"), seed)).score for seed in range(6)}
    assert len(made) == 6


def test_a_midi_file_begins_as_the_standard_says() -> None:
    song = compose(plan(Wishes(prompt="6/8 folk in D minor at 80 bpm"), 1))
    data = as_midi(song.score, song.metre, "Song")
    assert data[:4] == b"MThd"
    assert int.from_bytes(data[10:12], "big") == len(song.score.parts) + 1
    assert data.count(b"MTrk") == len(song.score.parts) + 1
    assert (60_000_000 // 120).to_bytes(3, "big") in data, "80 dotted quarters a minute are 120 quarters"
    assert b"\xff\x58\x04\x06\x03\x24\x08" in data
    assert b"\xff\x59\x02\xff\x01" in data, "one flat, minor"


def test_orders_are_understood_or_refused() -> None:
    order = GenerateMusicInput(
        prompt="x", mood="Relaxing", instruments=("Electric guitar", "drums", "กลอง"), key="d minor", tempo_bpm=90
    )  # type: ignore[arg-type]
    assert (order.mood, order.instruments, order.key) == ("calm", ("electric_guitar", "drums"), "D:min")
    made = plan(order.wishes, 1)
    assert (made.mood, made.instruments, made.key, made.bpm) == ("calm", ("electric_guitar", "drums"), "D:min", 90)
    for wrong in (
        {}, {"prompt": "  "}, {"prompt": "x", "mood": "purple"}, {"prompt": "x", "style": "polka"},
        {"prompt": "x", "instruments": ["theremin"]}, {"prompt": "x", "instruments": [7]},
        {"prompt": "x", "key": "H:maj"},
        {"prompt": "x", "tempo_bpm": 20}, {"prompt": "x", "duration_seconds": 3},
        {"prompt": "x", "duration_seconds": 301},
        {"prompt": "x", "provider": "magic"}, {"prompt": "x", "seed": -1}, {"prompt": "x", "time_signature": "7/8"},
    ):  # fmt: skip
        with pytest.raises(ValidationError):
            GenerateMusicInput.model_validate(wrong)
