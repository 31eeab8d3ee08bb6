"""From the operations of a job and what was measured to a timeline: every decision of an edit, no media touched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar
from uuid import UUID

from core.errors import InvalidInput
from core.video.beats import BeatGrid, cut_on_beats, moved_to_beats
from core.video.cuts import (
    Removal,
    build_pieces,
    check_something_stays,
    quiet_threshold,
    silences_from_levels,
    silences_from_speech,
    soft_threshold,
)
from core.video.mistakes import find_fillers, find_repeats, hesitation_cuts
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
    MusicChoice,
    NormalizeLoudness,
    Operation,
    ReduceNoise,
    RemoveRange,
)
from core.video.reframe import FaceSample, crop_track, window
from core.video.sentences import sentences
from core.video.shorts import find_shorts
from core.video.speed import at_pace, sped_pauses
from core.video.timeline import AspectRatio, CaptionSettings, MusicBed, OutputTarget, Piece, Timeline, Transition, Word
from core.video.timeline_edit import TimeMap, clip, set_range

T = TypeVar("T")
NOTHING_DB = -120.0


@dataclass(frozen=True)
class SourceFacts:
    """What a timeline needs to know of its source; sizes as displayed."""

    asset_id: UUID
    fps: Fraction
    width: int
    height: int
    frames: int
    has_audio: bool

    @property
    def seconds(self) -> float:
        """Length of the source."""
        return float(self.frames / self.fps)


@dataclass(frozen=True)
class Measured:
    """Signals of a source, as far as :func:`needs` asked for them. Levels are dBFS every ``hop_seconds``;
    ``hesitations`` are sounds between the words, in seconds from–to, that are no words."""

    words: tuple[Word, ...] = ()
    language: str = ""
    levels_db: Sequence[float] = ()
    hop_seconds: float = 0.01
    speech: Sequence[tuple[float, float]] = ()
    hesitations: Sequence[tuple[float, float]] = ()


@dataclass(frozen=True)
class Needs:
    """Which measurements the operations ask for."""

    words: bool = False
    levels: bool = False
    speech: bool = False
    hesitations: bool = False

    @property
    def sound(self) -> bool:
        """Whether anything must be heard."""
        return self.words or self.levels or self.speech


def find(operations: Sequence[Operation], kind: type[T]) -> T | None:
    """The last operation of a kind: a later one of the same kind replaces an earlier one."""
    return next((operation for operation in reversed(operations) if isinstance(operation, kind)), None)


def follows_beats(operations: Sequence[Operation]) -> bool:
    """Whether joints are to fall on the beats of a track."""
    music = find(operations, AddMusic)
    return find(operations, CutByBeat) is not None or (music is not None and music.sync_to_beat)


def needs(operations: Sequence[Operation], *, captions: bool = False, has_audio: bool = True) -> Needs:
    """What must be measured before :func:`plan` can decide. Beats may not cut into a word, where there can be any."""
    silence = _pauses_meant(operations)
    return Needs(
        words=captions
        or (has_audio and follows_beats(operations))
        or any(
            isinstance(operation, AutoCutFillers | AutoCutRepeats | AddSubtitle | Highlight) for operation in operations
        ),
        levels=any(operation.method == "level" for operation in silence)
        or any(isinstance(operation, Highlight) for operation in operations),
        speech=any(operation.method == "voice" for operation in silence),
        hesitations=any(isinstance(operation, AutoCutFillers) for operation in operations),
    )


def spoken_language(operations: Sequence[Operation], asked: str) -> str:
    """The language the user named: with the captions, else for the whole job; "auto" when they named none."""
    captions = find(operations, AddSubtitle)
    return captions.language if captions and captions.language != "auto" else asked


def _pauses_meant(operations: Sequence[Operation]) -> list[AutoCutSilence]:
    """What counts as a pause: as asked, or by the usual settings where pauses are only to pass faster."""
    asked = [operation for operation in operations if isinstance(operation, AutoCutSilence)]
    speed = find(operations, AutoSpeed)
    if not asked and speed is not None and speed.silence_factor is not None:
        return [AutoCutSilence()]
    return asked


def find_removals(operations: Sequence[Operation], facts: SourceFacts, measured: Measured) -> list[Removal]:
    """What the cutting operations take out; pauses that are to pass faster are among it."""
    removals: list[Removal] = []
    for silence in _pauses_meant(operations):
        removals += _silences(silence, facts, measured)
    for operation in operations:
        if isinstance(operation, AutoCutFillers):
            removals += find_fillers(measured.words, operation.words)
            removals += hesitation_cuts(measured.words, measured.hesitations)
        elif isinstance(operation, AutoCutRepeats):
            removals += find_repeats(measured.words, sentences(measured.words))
        elif isinstance(operation, RemoveRange):
            removals.append(Removal(operation.start, operation.end, "user"))
    return removals


def _silences(operation: AutoCutSilence, facts: SourceFacts, measured: Measured) -> list[Removal]:
    if operation.method == "voice":
        return silences_from_speech(
            measured.speech,
            facts.seconds,
            min_silence_seconds=operation.min_silence_seconds,
            padding_seconds=operation.padding_seconds,
        )
    threshold = operation.threshold_db
    missing = round(facts.seconds / measured.hop_seconds) - len(measured.levels_db)
    return silences_from_levels(
        [*measured.levels_db, *[NOTHING_DB] * missing],  # sound that ends before the picture ends in silence
        measured.hop_seconds,
        threshold_db=quiet_threshold(measured.levels_db) if threshold is None else threshold,
        min_silence_seconds=operation.min_silence_seconds,
        padding_seconds=operation.padding_seconds,
        soft_db=soft_threshold(measured.levels_db),
    )


def plan(facts: SourceFacts, operations: Sequence[Operation], measured: Measured) -> Timeline:
    """The timeline of an edit, without crops and music. Raises InvalidInput when nothing would be left."""
    found = build_pieces(facts.frames, facts.fps, find_removals(operations, facts, measured), measured.words)
    timeline = Timeline(
        source_asset_id=facts.asset_id,
        fps=str(facts.fps),
        width=facts.width,
        height=facts.height,
        duration_frames=facts.frames,
        has_audio=facts.has_audio,
        pieces=_with_speed(found, facts.fps, find(operations, AutoSpeed)),
        language=measured.language,
        words=measured.words,
    )
    best = find(operations, Highlight)
    return with_looks(timeline if best is None else _best_part(timeline, best.max_seconds, measured), operations)


def _best_part(timeline: Timeline, max_seconds: float, measured: Measured) -> Timeline:
    """The edit with nothing but its best stretch of at most ``max_seconds``, chosen as a short is."""
    times = TimeMap(timeline)
    if times.duration <= max_seconds:
        return timeline
    rounding = 2 / float(timeline.rate)
    for least in (0.75 * max_seconds, 0.0):
        found = find_shorts(
            [word for word in measured.words if times.span(word.start, max(word.end, word.start + 0.001))],
            float(timeline.duration_frames / timeline.rate),
            count=1,
            min_seconds=least,
            max_seconds=max_seconds - rounding,
            levels_db=measured.levels_db,
            hop_seconds=measured.hop_seconds,
            kept_seconds=times.kept,
        )
        if found:
            return clip(timeline, found[0].start, found[0].end)
    raise InvalidInput(
        "Nobody speaks in this recording, so no highlight could be chosen.",
        "Leave the highlight out, or choose the part yourself on the timeline.",
    )


def _with_speed(pieces: tuple[Piece, ...], rate: Fraction, speed: AutoSpeed | None) -> tuple[Piece, ...]:
    if speed is not None and speed.silence_factor is not None:
        pieces = sped_pauses(pieces, rate, speed.silence_factor, speed.ramp_seconds)
    check_something_stays(pieces)
    return pieces if speed is None or speed.factor is None else at_pace(pieces, speed.factor)


def with_looks(timeline: Timeline, operations: Sequence[Operation]) -> Timeline:
    """The same pieces with captions, transitions, noise reduction and loudness as the operations want them."""
    transition = find(operations, AutoTransition)
    captions, noise, loudness = (
        find(operations, AddSubtitle),
        find(operations, ReduceNoise),
        find(operations, NormalizeLoudness),
    )
    return timeline.model_copy(
        update={
            "captions": CaptionSettings(style=captions.style, burn_in=captions.burn_in) if captions else None,
            "transition": Transition(style=transition.style, duration_seconds=transition.duration_seconds)
            if transition and transition.style != "cut"
            else None,
            "noise_reduction": noise.strength if noise else 0.0,
            "loudness_lufs": loudness.target_lufs if loudness else None,
        }
    )


def on_beats(
    timeline: Timeline, operations: Sequence[Operation], grid: BeatGrid, *, most_frames: int | None = None
) -> Timeline:
    """The timeline with its joints on the beats, as ``cut_by_beat`` or ``add_music`` ask for it."""
    cut = find(operations, CutByBeat)
    if cut is not None and not timeline.words:
        return cut_on_beats(timeline, grid.until(float(timeline.kept_frames / timeline.rate)), cut.beats_per_cut)
    # Moved joints may lengthen the result by at most what was removed.
    longest = float((timeline.kept_frames + timeline.duration_frames) / timeline.rate)
    return moved_to_beats(timeline, grid.until(longest), most_frames=most_frames)


def replan(timeline: Timeline, operations: Sequence[Operation]) -> Timeline:
    """A stored timeline, as its user left it, with the looks of new operations.

    Its pieces stand: automatic cuts are not decided again, or what the user restored would be gone. Only ranges that
    are named now go as well.
    """
    for operation in operations:
        if isinstance(operation, RemoveRange):
            timeline = set_range(timeline, operation.start, operation.end, kept=False)
    return with_looks(timeline, operations)


def music_bed(asset_id: UUID, choice: AddMusic | MusicChoice, *, seamless: bool) -> MusicBed:
    """The timeline's music from a choice, the asset it stands for and whether that is made to be repeated."""
    return MusicBed(asset_id=asset_id, gain_db=choice.gain_db, duck_db=choice.duck_db, seamless=seamless)


def reframing(operations: Sequence[Operation], ratio: AspectRatio, default: AutoReframe) -> AutoReframe:
    """How one shape is made: the last operation meant for it, or for every shape."""
    meant = [
        operation
        for operation in operations
        if isinstance(operation, AutoReframe) and operation.target_aspect_ratio in (None, ratio)
    ]
    return meant[-1] if meant else default


def cropped_ratios(
    facts: SourceFacts, targets: Sequence[OutputTarget], operations: Sequence[Operation], default: AutoReframe
) -> list[AspectRatio]:
    """The targets' shapes whose crop follows faces, so that faces must be looked for."""
    ratios: list[AspectRatio] = []
    for ratio in dict.fromkeys(target.aspect_ratio for target in targets):
        how = reframing(operations, ratio, default)
        smaller = min(window(facts.width, facts.height, ratio)) < 0.995
        if smaller and how.mode == "crop" and how.subject != "center":
            ratios.append(ratio)
    return ratios


def with_crops(
    timeline: Timeline,
    targets: Sequence[OutputTarget],
    operations: Sequence[Operation],
    default: AutoReframe,
    faces: Sequence[FaceSample] = (),
    scene_cuts: Sequence[float] = (),
) -> Timeline:
    """The timeline with a crop track for every shape that differs from the source's."""
    crops = dict(timeline.crops)
    for ratio in dict.fromkeys(target.aspect_ratio for target in targets):
        if ratio == "source":
            continue
        how = reframing(operations, ratio, default)
        crops[ratio] = crop_track(
            faces,
            scene_cuts,
            timeline.width,
            timeline.height,
            timeline.rate,
            timeline.duration_frames,
            ratio,
            subject=how.subject,
            mode=how.mode,
        )
    return timeline.model_copy(update={"crops": crops})
