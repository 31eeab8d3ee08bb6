"""From operations and measurements to a timeline (SPEC V2, V4), without media."""

from __future__ import annotations

from fractions import Fraction
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from core.video.payloads import (
    AddMusic,
    AddSubtitle,
    AutoCutFillers,
    AutoCutRepeats,
    AutoCutSilence,
    AutoReframe,
    AutoSpeed,
    AutoTransition,
    CutByBeat,
    Highlight,
    NormalizeLoudness,
    Operation,
    ReduceNoise,
    RemoveRange,
)
from core.video.plan import (
    Measured,
    SourceFacts,
    cropped_ratios,
    needs,
    plan,
    replan,
    spoken_language,
    with_crops,
)
from core.video.reframe import Box, FaceSample
from core.video.timeline import OutputTarget, Timeline, Transition, Word
from core.video.timeline_edit import set_speed, summary, toggle_piece
from tests.unit.test_video_shorts import TALK, speak

FACTS = SourceFacts(uuid4(), Fraction(30), 1280, 720, 300, True)
WORDS = (
    Word(word="So", start=0.5, end=0.8),
    Word(word="um", start=0.9, end=1.2),
    Word(word="hello.", start=1.3, end=1.9),
    Word(word="Goodbye.", start=6.0, end=6.8),
)
LEVELS = tuple(-20.0 if 0.4 <= index / 100 < 2.0 or 6.0 <= index / 100 < 7.0 else -70.0 for index in range(900))
NARROW = OutputTarget(aspect_ratio="9:16", width=360, height=640)
WIDE = OutputTarget(aspect_ratio="16:9", width=640, height=360)


def test_only_what_the_operations_need_is_measured() -> None:
    assert not needs((ReduceNoise(), AutoReframe())).sound
    assert needs((AutoCutSilence(),)).levels
    assert not needs((AutoCutSilence(),)).words
    assert needs((AutoCutSilence(method="voice"),)).speech
    assert needs((AutoCutFillers(),)).words
    assert needs((AutoCutRepeats(),)).words
    assert needs((AddSubtitle(),)).words
    assert needs((), captions=True).words


def test_pauses_and_fillers_and_ranges_go_with_their_reasons() -> None:
    operations: tuple[Operation, ...] = (
        AutoCutSilence(padding_seconds=0.2),
        AutoCutFillers(),
        RemoveRange(start=6.5, end=6.7),
    )
    timeline = plan(FACTS, operations, Measured(WORDS, "en", LEVELS, 0.01))
    removed = [
        (piece.reason, piece.start_frame / 30, piece.end_frame / 30) for piece in timeline.pieces if not piece.kept
    ]
    assert [reason for reason, _, _ in removed] == ["filler", "silence", "user", "silence"]
    assert removed[0][1:] == pytest.approx((0.85, 1.25), abs=0.035)
    assert removed[1][1:] == pytest.approx((2.2, 5.8), abs=0.035)
    assert removed[3][2] == 10.0  # the sound ends a second before the picture: that is silence too


def test_pauses_pass_faster_instead_of_going() -> None:
    measured = Measured(WORDS, "en", LEVELS, 0.01)
    cut = plan(FACTS, (AutoCutSilence(padding_seconds=0.2), AutoCutFillers()), measured)
    sped = plan(FACTS, (AutoCutSilence(padding_seconds=0.2), AutoCutFillers(), AutoSpeed(silence_factor=4)), measured)
    silences = [(p.start_frame, p.end_frame) for p in cut.pieces if p.reason == "silence"]
    assert [(p.start_frame, p.end_frame) for p in sped.pieces if p.kept and p.speed == 4.0] == silences
    assert [p.reason for p in sped.pieces if not p.kept] == ["filler"]
    passing = sum(round((end - start) / 4) for start, end in silences)
    assert sped.kept_frames == cut.kept_frames + passing
    assert needs((AutoSpeed(silence_factor=4),)).levels
    assert not needs((AutoSpeed(factor=1.5),)).sound


def test_a_constant_pace_holds_for_what_stays_and_a_pause_has_its_own() -> None:
    measured = Measured(WORDS, "en", LEVELS, 0.01)
    assert plan(FACTS, (AutoSpeed(factor=1.25),), Measured()).kept_frames == 240
    both = plan(FACTS, (AutoSpeed(factor=1.25, silence_factor=8),), measured)
    assert {(p.reason, p.speed) for p in both.pieces} == {("speech", 1.25), ("silence", 8.0)}
    quiet = (AutoCutSilence(threshold_db=-40), AutoSpeed(silence_factor=8))
    silent = plan(FACTS, quiet, Measured(levels_db=(-70.0,) * 900))
    assert silent.kept_frames == round(300 / 8)


def test_the_speed_rises_and_falls_in_steps_at_both_ends_of_a_pause() -> None:
    timeline = plan(FACTS, (AutoSpeed(silence_factor=8, ramp_seconds=0.6),), Measured(WORDS, "en", LEVELS, 0.01))
    pauses = [piece for piece in timeline.pieces if piece.reason == "silence" and piece.start_frame < 180]
    speeds = [piece.speed for piece in pauses]
    assert speeds == speeds[::-1]
    assert speeds[:5] == sorted(speeds[:5])
    assert speeds[4] == 8.0
    assert sum(p.end_frame - p.start_frame for p in pauses[:4]) == 18
    ratios = [b / a for a, b in zip([1.0, *speeds[:4]], speeds[:5], strict=True)]
    assert ratios == pytest.approx([8 ** (1 / 5)] * 5, rel=0.001)


def test_a_stored_edit_keeps_the_speeds_its_user_set() -> None:
    timeline = set_speed(plan(FACTS, (AutoCutSilence(),), Measured(levels_db=LEVELS)), 0, 2.0)
    assert replan(timeline, (AutoCutSilence(), AutoSpeed(factor=4))).pieces == timeline.pieces


def test_speech_is_told_from_silence_by_voice_too() -> None:
    measured = Measured(speech=((0.5, 2.0), (6.0, 7.0)))
    timeline = plan(FACTS, (AutoCutSilence(method="voice", padding_seconds=0.0),), measured)
    assert summary(timeline)["kept_seconds"] == pytest.approx(
        3.0, abs=0.1
    )  # the half second before the first word is no pause


def test_looks_are_settings_of_the_timeline() -> None:
    timeline = plan(
        FACTS, (AddSubtitle(style="box"), NormalizeLoudness(target_lufs=-16), ReduceNoise(strength=0.3)), Measured()
    )
    assert timeline.captions is not None
    assert timeline.captions.style == "box"
    assert timeline.loudness_lufs == -16
    assert timeline.noise_reduction == 0.3
    assert replan(timeline, ()).captions is None


def test_transitions_are_looks_and_change_nothing_of_the_pieces() -> None:
    cut = plan(FACTS, (AutoCutSilence(),), Measured(levels_db=LEVELS))
    faded = plan(
        FACTS, (AutoCutSilence(), AutoTransition(style="wipe", duration_seconds=0.3)), Measured(levels_db=LEVELS)
    )
    assert faded.pieces == cut.pieces
    assert faded.transition == Transition(style="wipe", duration_seconds=0.3)
    assert replan(faded, (AutoTransition(style="cut"),)).transition is None
    assert Timeline.model_validate(cut.model_dump(exclude={"transition"})) == cut


def test_words_are_known_before_joints_move_to_beats() -> None:
    assert needs((AddMusic(audio_preset="lofi", sync_to_beat=True),)).words
    assert not needs((AddMusic(audio_preset="lofi"),)).words
    assert needs((CutByBeat(), AddMusic(audio_preset="lofi"))).words
    assert not needs((CutByBeat(music_asset_id=uuid4()),), has_audio=False).sound


def test_what_the_user_restored_stays_restored() -> None:
    operations = (AutoCutSilence(),)
    timeline = plan(FACTS, operations, Measured(levels_db=LEVELS))
    index = next(index for index, piece in enumerate(timeline.pieces) if not piece.kept)
    restored = toggle_piece(timeline, index)
    assert replan(restored, operations).pieces == restored.pieces
    assert replan(restored, (RemoveRange(start=0, end=1),)).kept_frames < restored.kept_frames


@given(st.floats(5, 70), st.booleans())
def test_a_highlight_is_whole_sentences_of_at_most_the_wanted_length(longest: float, cut: bool) -> None:
    words = speak(TALK)
    rate = Fraction(30000, 1001)
    facts = SourceFacts(uuid4(), rate, 1280, 720, int(words[-1].end * rate) + 90, True)
    operations: tuple[Operation, ...] = (Highlight(max_seconds=longest),)
    if cut:
        operations = (RemoveRange(start=0, end=words[40].start - 0.2), *operations)
    timeline = plan(facts, operations, Measured(tuple(words), "en"))
    assert 0.75 * longest - 0.1 <= timeline.kept_frames / rate <= longest
    first, last = timeline.kept[0].start_frame / rate, timeline.kept[-1].end_frame / rate
    heard = [word for word in words if first <= word.start and word.end <= last]
    assert all(word in heard or word.end <= first + 0.04 or word.start >= last - 0.04 for word in words)
    before = words.index(heard[0])
    assert before in (0, 40) or words[before - 1].word[-1] in ".?!,"
    assert heard[-1].word[-1] in ".?!,"


def test_a_highlight_of_what_is_short_already_is_all_of_it_and_silence_has_none() -> None:
    assert needs((Highlight(),)).words
    assert plan(FACTS, (Highlight(max_seconds=60),), Measured(WORDS, "en", LEVELS)).kept_frames == 300
    with pytest.raises(InvalidInput, match="Nobody speaks"):
        plan(FACTS, (Highlight(max_seconds=5),), Measured(levels_db=LEVELS))


def test_removing_everything_is_refused() -> None:
    with pytest.raises(InvalidInput):
        plan(FACTS, (RemoveRange(start=0, end=10),), Measured())


def test_faces_are_looked_for_only_where_a_crop_follows_them() -> None:
    follow, centre = AutoReframe(), AutoReframe(subject="center")
    assert cropped_ratios(FACTS, [NARROW, WIDE], (), follow) == ["9:16"]
    assert cropped_ratios(FACTS, [NARROW], (), centre) == []
    assert cropped_ratios(FACTS, [NARROW], (AutoReframe(target_aspect_ratio="1:1"),), centre) == []
    assert cropped_ratios(FACTS, [NARROW], (AutoReframe(mode="blur"),), follow) == []


def test_crops_are_made_for_each_shape() -> None:
    faces = [FaceSample(index / 5, (Box(0.65, 0.3, 0.1, 0.2),)) for index in range(50)]
    timeline = with_crops(plan(FACTS, (), Measured()), [NARROW, WIDE], (), AutoReframe(), faces)
    assert timeline.crops["9:16"].keyframes[0].x == pytest.approx(0.7, abs=0.01)
    assert timeline.crops["16:9"].keyframes == ()
    blurred = with_crops(timeline, [NARROW], (AutoReframe(mode="blur"),), AutoReframe(), faces)
    assert blurred.crops["9:16"].mode == "blur"


def test_the_language_named_with_the_captions_counts() -> None:
    assert spoken_language((AddSubtitle(language="th"),), "en") == "th"
    assert spoken_language((AddSubtitle(),), "en") == "en"
    assert spoken_language((), "auto") == "auto"
