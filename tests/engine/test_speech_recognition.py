"""Speech recognition on speech whose words and times are known (SPEC V3.1, V2.1; issue 2, figures)."""

from __future__ import annotations

import itertools
import json
import re
import statistics
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from core import speech
from core.errors import NotConfigured, UnsupportedMedia
from core.progress import no_progress
from core.video.timeline import Word
from providers.speech import piper, whisper
from providers.speech.onsets import snap_words, sounding_spans
from providers.speech.pcm import RATE
from providers.speech.vad import SpeechSpan, blocks, speech_in_file
from providers.speech.whisper import Transcript, original_time, plan_windows, transcribe
from tests import media

PAUSES = (0.35, 0.8, 1.6, 0.5, 2.5, 0.7)


def word_error_rate(said: str, heard: str) -> float:
    """Levenshtein distance in words over the number of words said."""
    reference, guess = (re.findall(r"[a-z0-9']+", text.lower()) for text in (said, heard))
    row = list(range(len(guess) + 1))
    for i, word in enumerate(reference, 1):
        last, row[0] = row[0], i
        for j, other in enumerate(guess, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (word != other))
    return row[-1] / len(reference)


@pytest.fixture(scope="module")
def talk() -> media.SpokenClip:
    return media.spoken_clip(media.TALK, PAUSES)


@pytest.fixture(scope="module")
def heard(talk: media.SpokenClip) -> Transcript:
    return transcribe(talk.path, language="en")


def test_words_are_right(talk: media.SpokenClip, heard: Transcript) -> None:
    assert heard.language == "en"
    assert word_error_rate(talk.text, heard.text) < 0.10


def test_sentences_start_where_they_sound(talk: media.SpokenClip, heard: Transcript) -> None:
    errors = [min(abs(word.start - said.start) for word in heard.words) for said in talk.sentences]
    assert statistics.median(errors) <= 0.05
    assert max(errors) <= 0.15


def test_no_word_lies_in_a_pause(talk: media.SpokenClip, heard: Transcript) -> None:
    for said, following in zip(talk.sentences, talk.sentences[1:], strict=False):
        for word in heard.words:
            assert min(word.end, following.start - 0.02) - max(word.start, said.end + 0.02) <= 0.03


def test_words_are_in_order_and_inside_the_recording(talk: media.SpokenClip, heard: Transcript) -> None:
    for one, other in zip(heard.words, heard.words[1:], strict=False):
        assert one.start < one.end <= other.start + 1e-6
    assert heard.words[-1].end <= talk.duration


def test_sentences_become_segments(talk: media.SpokenClip, heard: Transcript) -> None:
    assert abs(len(heard.segments) - len(talk.sentences)) <= 1


def test_the_english_model_is_never_run_on_another_language(talk: media.SpokenClip) -> None:
    with pytest.raises(NotConfigured) as refused:
        transcribe(talk.path, language="th", model=speech.BUNDLED)
    assert refused.value.setting == "speech model"
    with pytest.raises(NotConfigured):
        speech.choose("th")


def test_what_only_sounds_like_speech_is_not_passed_off_as_english() -> None:
    guesses = [Word(word="hm", start=float(i), end=i + 0.5, probability=0.2) for i in range(20)]
    with pytest.raises(NotConfigured):
        whisper._require_plausible(guesses)
    whisper._require_plausible([word.model_copy(update={"probability": 0.9}) for word in guesses])


@pytest.mark.parametrize(
    ("language", "sentences"),
    [
        ("de", ["Guten Morgen, heute zeige ich Ihnen ein gutes Video.", "Zuerst brauchen Sie ein wenig Geduld."]),
        ("th", ["สวัสดีครับ วันนี้ผมจะมาสอนวิธีทำวิดีโอ", "คนส่วนใหญ่พูดเร็วเกินไป"]),
    ],
)
def test_another_language_is_noticed_when_none_was_named(
    language: str, sentences: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bundled voice made to pronounce another language: how it sounds, if not how a native would say it."""
    model = tmp_path / "voice.onnx"
    model.symlink_to(piper.voice_model())
    config = json.loads(Path(f"{piper.voice_model()}.json").read_text())
    config["espeak"]["voice"] = language
    Path(f"{model}.json").write_text(json.dumps(config))
    monkeypatch.setattr(piper, "voice_model", lambda: model)
    piper.synthesize(sentences, [0.4] * len(sentences), tmp_path / "foreign.wav", lead=0.3)
    with pytest.raises(NotConfigured) as refused:
        transcribe(tmp_path / "foreign.wav", language="auto", model=speech.BUNDLED)
    assert "English" in refused.value.title


def test_english_needs_no_name(talk: media.SpokenClip) -> None:
    assert transcribe(talk.path, language="auto", model=speech.BUNDLED).language == "en"


def test_a_video_without_sound_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedMedia):
        transcribe(media.silent_video(), language="en", folder=tmp_path)
    assert not list(tmp_path.iterdir())


def test_silence_has_no_words(tmp_path: Path) -> None:
    path = tmp_path / "silence.wav"
    soundfile.write(path, np.zeros(RATE * 5, np.int16), RATE)
    assert transcribe(path, language="en").words == ()


def test_voice_activity_finds_each_sentence(talk: media.SpokenClip, tmp_path: Path) -> None:
    spans = speech_in_file(talk.path, tmp_path, min_silence_seconds=0.4)
    for said in talk.sentences:
        overlap = sum(max(min(span.end, said.end) - max(span.start, said.start), 0.0) for span in spans)
        assert overlap > 0.85 * (said.end - said.start)
    spoken = sum(said.end - said.start for said in talk.sentences)
    assert sum(span.end - span.start for span in spans) < 1.25 * spoken


def test_long_recordings_are_read_in_blocks_that_end_in_silence(talk: media.SpokenClip) -> None:
    sound, rate = soundfile.read(talk.path, dtype="int16")
    samples = np.tile(sound, 3)
    assert rate == 22050
    positions = []
    spans: list[SpeechSpan] = []
    for first, end, inside in blocks(samples, 0.3, 0.1, seconds=14.0, progress=no_progress):
        positions.append((first, end))
        spans += inside
        assert all(first / RATE <= span.start < span.end <= end / RATE for span in inside)
    assert positions[0][0] == 0
    assert positions[-1][1] == samples.size
    assert all(one[1] == other[0] for one, other in itertools.pairwise(positions))
    whole = [span for _, _, inside in blocks(samples, 0.3, 0.1, seconds=3600.0) for span in inside]
    assert sum(s.end - s.start for s in spans) == pytest.approx(sum(s.end - s.start for s in whole), rel=0.03)


def test_recognising_loads_no_gpl_codecs() -> None:
    script = "from providers.speech.vad import faster_whisper as f; import sys; f(); print('av' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


spans_strategy = st.lists(st.tuples(st.floats(0.3, 3.0), st.floats(0.05, 70.0)), min_size=1, max_size=30).map(
    lambda pairs: [
        SpeechSpan(sum(gap + length for gap, length in pairs[:i]) + pairs[i][0], sum(g + n for g, n in pairs[: i + 1]))
        for i in range(len(pairs))
    ]
)


@given(spans_strategy)
def test_windows_hold_all_speech_in_order_and_fit(spans: list[SpeechSpan]) -> None:
    windows = plan_windows(spans, 28.0)
    flat = [span for window in windows for span in window]
    assert flat == sorted(flat, key=lambda span: span.start)
    total = sum(span.end - span.start for span in spans)
    assert sum(span.end - span.start for span in flat) == pytest.approx(total)
    for window in windows:
        assert sum(span.end - span.start for span in window) <= 28.0 + 1e-6


@given(spans_strategy, st.floats(0.0, 1.0))
def test_packed_times_map_back_into_speech(spans: list[SpeechSpan], place: float) -> None:
    for window in plan_windows(spans, 28.0):
        length = sum(span.end - span.start for span in window)
        second = original_time(window, place * length)
        assert any(span.start - 1e-6 <= second <= span.end + 1e-6 for span in window)


@given(
    st.lists(st.tuples(st.floats(0.0, 60.0), st.floats(0.05, 1.5)), min_size=1, max_size=40),
    st.lists(st.tuples(st.floats(0.15, 3.0), st.floats(0.05, 6.0)), max_size=20),
)
def test_snapped_words_stay_in_order(places: list[tuple[float, float]], gaps: list[tuple[float, float]]) -> None:
    words = []
    for start, length in sorted(places):
        begin = max(start, words[-1].end if words else 0.0)
        words.append(Word(word="a", start=begin, end=begin + length))
    spans, position = [], 0.0
    for gap, length in gaps:
        spans.append((position + gap, position + gap + length))
        position += gap + length
    snapped = snap_words(words, spans)
    assert [word.word for word in snapped] == [word.word for word in words]
    for one, other in itertools.pairwise(snapped):
        assert one.start < one.end
        assert one.end <= other.start + 1e-3


def test_levels_without_contrast_give_no_sounds() -> None:
    rng = np.random.default_rng(1)
    assert sounding_spans(rng.normal(-20, 0.5, 1000).astype(np.float32)) == []


def test_punctuation_says_on_which_side_of_a_pause_a_word_was_said() -> None:
    spans = [(79.3, 81.17), (82.44, 84.0)]
    words = [
        Word(word="say", start=80.94, end=81.12),
        Word(word="it.", start=81.12, end=82.56),
        Word(word="It", start=82.7, end=82.72),
        Word(word="takes", start=82.72, end=82.94),
    ]
    snapped = snap_words(words, spans)
    assert snapped[1].end <= 81.17
    assert snapped[2].start == pytest.approx(82.44)
    words[1:3] = [Word(word="up,", start=81.0, end=81.1), Word(word="then", start=81.08, end=82.6)]
    assert snap_words(words, spans)[2].start == pytest.approx(82.44)


def test_a_word_without_time_gets_its_share_of_its_neighbours() -> None:
    words = [Word(word="I", start=1.0, end=1.44), Word(word="published", start=1.44, end=1.48)]
    first, second = snap_words(words, [(1.0, 1.6)])
    assert first.end == second.start < 1.15
    fair = [Word(word="I", start=1.0, end=1.1), Word(word="published", start=1.1, end=1.6)]
    assert snap_words(fair, [(1.0, 1.6)]) == fair


def test_a_quiet_first_letter_belongs_to_its_sound() -> None:
    levels = np.array([-60.0] * 50 + [-52.0] * 6 + [-20.0] * 30 + [-50.0] * 10 + [-60.0] * 50, np.float32)
    assert sounding_spans(levels) == [pytest.approx((0.50, 0.96), abs=0.011)]
