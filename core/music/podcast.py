"""Where everything of an episode stands: what of each track stays, when it begins, where chapters are (SPEC M7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

from core.errors import InvalidInput
from core.music.podcast_payloads import Chapter, Crossfade, Duck, PodcastInput, PodcastOperation, PodcastTrack
from core.music.remaster_payloads import Normalize
from core.video.cuts import Removal, build_pieces, check_something_stays
from core.video.headlines import headline
from core.video.keyphrases import TalkPhrases
from core.video.payloads import AutoCutFillers, AutoCutRepeats, AutoCutSilence
from core.video.plan import Measured, SourceFacts, find_removals
from core.video.sentences import sentences
from core.video.thoughts import borders
from core.video.timeline import Word

STEREO_LUFS, MONO_LUFS = -16.0, -19.0
"""The AES's and the large platforms' recommendation for podcasts; one channel is measured 3 LU below two (AES71)."""
VOICE_LUFS = -20.0
"""What all voices are brought to before they are mixed."""
BED_DB, THEME_DB = -12.0, 0.0
"""Music under the voice lies this far below it, and is ducked further; intro and outro are as loud as the voice."""
_MILLISECONDS = Fraction(1000)
_THEME_OVERLAP = 3.0
T = TypeVar("T")
Span = tuple[float, float]


def operation(operations: Sequence[PodcastOperation], kind: type[T]) -> T | None:
    """The operation of a kind, if there is one."""
    return next((one for one in operations if isinstance(one, kind)), None)


def duck_db(order: PodcastInput) -> float:
    return (operation(order.operations, Duck) or Duck()).duck_db


def crossfade_seconds(order: PodcastInput) -> float:
    found = operation(order.operations, Crossfade)
    return found.seconds if found else 0.0


def loudness_target(order: PodcastInput) -> float:
    """LUFS of the finished file."""
    found = operation(order.operations, Normalize)
    return found.target_lufs if found else MONO_LUFS if order.channels == "mono" else STEREO_LUFS


def true_peak(order: PodcastInput) -> float:
    return (operation(order.operations, Normalize) or Normalize()).true_peak_dbtp


def cutting(operations: Sequence[PodcastOperation]) -> list[AutoCutSilence | AutoCutFillers | AutoCutRepeats]:
    """The operations that take something out of the voices."""
    return [one for one in operations if isinstance(one, AutoCutSilence | AutoCutFillers | AutoCutRepeats)]


def kept_spans(
    track: PodcastTrack, seconds: float, operations: Sequence[PodcastOperation], heard: Measured
) -> list[Span]:
    """What stays of a track, in seconds of its own sound: trimmed and cut as asked, and a voice without its pauses and
    mistakes where the operations say so.

    Raises:
        InvalidInput: nothing would be left.
    """
    removals = [Removal(one.start, min(one.end, seconds), "user") for one in track.cuts if one.start < seconds]
    if track.trim is not None:
        removals += [Removal(0.0, min(track.trim.start, seconds), "user"), Removal(track.trim.end, seconds, "user")]
    facts = SourceFacts(track.asset_id, _MILLISECONDS, 0, 0, round(seconds * 1000), True)
    if track.role == "voice":
        removals += find_removals(cutting(operations), facts, heard)
    pieces = build_pieces(facts.frames, facts.fps, removals, heard.words)
    if track.role == "voice":
        check_something_stays(pieces)
    spans = [(piece.start_frame / 1000, piece.end_frame / 1000) for piece in pieces if piece.kept]
    if not spans:
        raise InvalidInput("Nothing is left of a track.", "Trim or cut less of it.")
    joined: list[Span] = []
    for start, end in spans:
        if joined and start - joined[-1][1] < 1e-9:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def kept_words(words: Sequence[Word], spans: Sequence[Span]) -> list[Word]:
    """The words that stay, in seconds of what stays."""
    found = []
    at = 0.0
    for start, end in spans:
        for word in words:
            middle = (word.start + word.end) / 2
            if start <= middle < end:
                begin, stop = max(word.start, start) - start + at, min(word.end, end) - start + at
                found.append(word.model_copy(update={"start": begin, "end": stop}))
        at += end - start
    return found


@dataclass(frozen=True)
class Placed:
    """A track in the episode: from ``start`` for ``length`` seconds, faded in and out; ``loops`` where it is repeated
    to fill that length."""

    track: int
    start: float
    length: float
    fade_in: float = 0.0
    fade_out: float = 0.0
    loops: bool = False

    @property
    def end(self) -> float:
        return self.start + self.length


def arranged(tracks: Sequence[PodcastTrack], lengths: Sequence[float], crossfade: float) -> list[Placed]:
    """When every track begins; ``lengths`` in seconds after trimming and cutting.

    What is spoken follows each other, neighbours cross-faded by ``crossfade`` (at most half of the shorter one). It
    begins where an intro is about to end, and an outro begins where it is about to end. Music that lies under the
    episode fills it from beginning to end.
    """
    intro = sum(
        lengths[index] - _overlap(lengths[index]) for index, track in enumerate(tracks) if _is_theme(track, "intro")
    )
    placed: dict[int, Placed] = {}
    at, before = intro, None
    for index, track in enumerate(tracks):
        if track.role == "music":
            continue
        length, fade = lengths[index], 0.0
        if track.start is not None:
            start = track.start
        else:
            fade = min(crossfade, length / 2, lengths[before] / 2) if before is not None else 0.0
            start = max(at - fade, 0.0)
            if before is not None and fade:
                placed[before] = _with(placed[before], fade_out=fade)
        placed[index] = Placed(index, start, length, fade_in=fade)
        at, before = start + length, index
    spoken_end = max(one.end for one in placed.values())
    theme_at, outro_at = 0.0, spoken_end
    for index, track in enumerate(tracks):
        if track.role != "music" or (track.start is None and track.placement == "under"):
            continue
        length = lengths[index]
        overlap = _overlap(length)
        if track.start is not None:
            edge = min(1.0, length / 4)
            placed[index] = Placed(index, track.start, length, fade_in=edge, fade_out=edge)
        elif track.placement == "intro":
            placed[index] = Placed(index, theme_at, length, fade_out=overlap)
            theme_at += length - overlap
        else:
            placed[index] = Placed(index, max(outro_at - overlap, 0.0), length, fade_in=overlap, fade_out=overlap)
            outro_at = placed[index].end
    total = max(one.end for one in placed.values())
    for index in range(len(tracks)):
        if index not in placed:
            edge = min(2.0, total / 4)
            placed[index] = Placed(index, 0.0, total, fade_in=edge, fade_out=edge, loops=True)
    return [placed[index] for index in range(len(tracks))]


def music_gain_db(track: PodcastTrack) -> float:
    """dB of a piece of music relative to the voices."""
    return track.gain_db + (BED_DB if track.placement == "under" else THEME_DB)


def _is_theme(track: PodcastTrack, placement: str) -> bool:
    return track.role == "music" and track.start is None and track.placement == placement


def _overlap(length: float) -> float:
    """For how long an intro or outro sounds together with the voice."""
    return min(_THEME_OVERLAP, length / 2)


def _with(placed: Placed, *, fade_out: float) -> Placed:
    return Placed(placed.track, placed.start, placed.length, placed.fade_in, fade_out, placed.loops)


_SHORTEST_CHAPTER, _MOST_CHAPTERS = 45.0, 20
_LEAST_BORDER = 0.35


def automatic_chapters(
    words: Sequence[Word], total: float, ads: Sequence[tuple[float, float, str]] = (), *, opening: str = "Intro"
) -> list[Chapter]:
    """Chapters where the talk turns to its next thought, titled by what is claimed in them.

    ``words`` in seconds of the episode, ``ads`` as (start, end, title): each is a chapter, and what follows it another.
    Chapters last at least 45 s (a sixth of a short episode) and are at most twenty beside the ads.
    """
    spoken = sentences(words)
    if not spoken:
        return [Chapter(start=0.0, title=opening)]
    shortest = max(min(_SHORTEST_CHAPTER, total / 6), total / _MOST_CHAPTERS)
    strengths = borders(spoken)
    after_ads = {
        next((index for index, sentence in enumerate(spoken) if sentence.start >= end - 0.01), None)
        for _, end, _ in ads
    } - {None}
    chosen = [0]
    ranked = sorted(range(1, len(spoken)), key=lambda index: (index not in after_ads, -strengths[index], index))
    for index in ranked:
        apart = all(abs(spoken[index].start - spoken[other].start) >= shortest for other in chosen)
        long_enough = total - spoken[index].start >= shortest / 2
        if index in after_ads or (strengths[index] >= _LEAST_BORDER and apart and long_enough):
            chosen.append(index)
    chosen.sort()
    phrases = TalkPhrases([sentence.text for sentence in spoken])
    found: list[Chapter] = []
    titles: list[str] = []
    for first, last in zip(chosen, [*chosen[1:], len(spoken)], strict=True):
        titles.append(headline(spoken, first, last, phrases, titles))
        found.append(Chapter(start=round(spoken[first].start, 3) if first else 0.0, title=titles[-1]))
    found += [Chapter(start=round(start, 3), title=title) for start, _, title in ads]
    return _apart(sorted(found, key=lambda chapter: chapter.start))


def _apart(chapters: Sequence[Chapter]) -> list[Chapter]:
    """Without a chapter that the next one leaves less than a second."""
    found: list[Chapter] = []
    for chapter in chapters:
        if found and chapter.start - found[-1].start < 1:
            found[-1] = Chapter(start=found[-1].start, title=chapter.title)
        else:
            found.append(chapter)
    return found


def checked_chapters(chapters: Sequence[Chapter], total: float) -> list[Chapter]:
    """Chapters as asked.

    Raises:
        InvalidInput: one begins after the episode has ended.
    """
    for chapter in chapters:
        if chapter.start >= total:
            raise InvalidInput(
                f"The chapter “{chapter.title}” begins after the end of the episode.",
                f"The episode is {total:.0f} s long.",
            )
    return list(chapters)
