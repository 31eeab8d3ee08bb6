"""From an order to scenes: what each shows and says, and from which frame to which it is on the screen.

Narration is never cut: a scene lasts at least as long as what is said in it. Where music is chosen the changes between
scenes move to its nearest beats. All times of a plan are frames of the result.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from core.errors import InvalidInput
from core.narration import Line, SpokenLine, laid, lines_of, paragraphs_of
from core.video.generate.looks import Look, SceneTransition
from core.video.generate.payloads import LONGEST_SECONDS, GenerateInput
from core.video.keyphrases import TalkPhrases, is_stopword
from core.video.text import cells, clean, has_thai, thai_words

FPS = 30
PICTURE_SECONDS, CARD_SECONDS, SHORTEST_SECONDS = 4.0, 3.0, 0.5
LEAD_SECONDS, TAIL_SECONDS = 0.4, 0.5
"""Silence of a narrated scene before and after what is said in it."""
MAX_HASTE = 1.35
"""A voice may speak this much faster to keep a duration that was asked for; beyond, words are lost."""
SCENE_LETTERS = 170
"""Of a script, about this many letters are one scene: some ten seconds."""
PHRASE_CELLS = 34
REACH_SECONDS = 1.5
"""How far a change between scenes is moved to meet a beat."""
LEAST_FRAMES = 2


@dataclass(frozen=True)
class Draft:
    """One scene before it is timed: a picture, or a card with ``title`` (may be empty); what is said meanwhile."""

    picture: UUID | None
    title: str
    lines: tuple[Line, ...]
    seconds: float
    transition: SceneTransition


@dataclass(frozen=True)
class Scene:
    """One scene on the screen from frame ``start`` for ``frames``; for the first ``joint`` of them its transition goes
    on. ``said`` are its lines in seconds of the result."""

    draft: Draft
    start: int
    frames: int
    joint: int
    said: tuple[SpokenLine, ...]

    @property
    def end(self) -> int:
        return self.start + self.frames


def drafts_of(order: GenerateInput, look: Look) -> list[Draft]:
    """The scenes of an order, in order.

    Raises:
        InvalidInput: a script or a narration without a word, a prompt without anything to show.
    """
    if order.source_assets is not None:
        return [Draft(one, "", (), PICTURE_SECONDS, look.transition) for one in order.source_assets]
    if order.script is not None:
        return _of_script(order.script, look)
    if order.prompt is not None:
        return [Draft(None, phrase, (), CARD_SECONDS, look.transition) for phrase in phrases_of(order.prompt)]
    assert order.storyboard is not None
    drafts = []
    for scene in order.storyboard.scenes:
        said = tuple(lines_of(scene.narration)) if scene.narration and scene.narration.strip() else ()
        default = PICTURE_SECONDS if scene.image_asset_id else CARD_SECONDS
        drafts.append(
            Draft(
                scene.image_asset_id, clean(scene.text or scene.prompt or ""), said,
                scene.duration_seconds or default, scene.transition or look.transition,
            )
        )  # fmt: skip
    return drafts


def require_words(order: GenerateInput) -> None:
    """Refuse words in which nothing can be said or shown, before a job exists.

    Raises:
        InvalidInput: a script, a prompt or a narration without a letter or a digit.
    """
    scenes = order.storyboard.scenes if order.storyboard else ()
    for text in (order.script, order.prompt, *(scene.narration for scene in scenes)):
        if text is not None and text.strip():
            lines_of(text)


def phrases_of(prompt: str) -> list[str]:
    """A prompt in phrases that a card holds: at its sentences and marks, else every few words.

    Raises:
        InvalidInput: it has no letter and no digit.
    """
    found: list[str] = []
    for line in lines_of(prompt):
        for part in re.split(r"(?<=[,;:—–])\s+", line.text):
            words = thai_words(part) if has_thai(part) else part.split()
            rows: list[list[str]] = [[]]
            for word in words:
                if rows[-1] and cells(_joined([*rows[-1], word])) > PHRASE_CELLS:
                    rows.append(_clinging(rows[-1]))
                rows[-1].append(word)
            found += [_joined(row).strip(" ,;:—–") for row in rows if row]
    kept = [phrase[:1].upper() + phrase[1:] for phrase in found if any(char.isalnum() for char in phrase)]
    if not kept:
        raise InvalidInput("There is nothing to show.", "Write at least one word.")
    return kept


def _clinging(row: list[str]) -> list[str]:
    """Take the small words off a row's end that belong to what follows; the row keeps at least half."""
    moved: list[str] = []
    while len(row) > len(moved) + 1 and is_stopword(row[-1].lower()):
        moved.insert(0, row.pop())
    return moved


def _joined(words: Sequence[str]) -> str:
    return "".join(words) if any(has_thai(word) for word in words) else " ".join(words)


def _of_script(script: str, look: Look) -> list[Draft]:
    """One scene a paragraph, long ones parted between sentences; its card says what it is about."""
    groups: list[list[Line]] = []
    for paragraph in paragraphs_of(script):
        if not any(char.isalnum() for char in paragraph):
            continue
        lines = lines_of(paragraph)
        parts = max(1, round(sum(len(line.text) for line in lines) / SCENE_LETTERS))
        groups += _evenly(lines, min(parts, len(lines)))
    if not groups:
        raise InvalidInput("There is nothing to say.", "Write at least one word.")
    talk = TalkPhrases([" ".join(line.text for line in group) for group in groups])
    drafts = []
    for index, group in enumerate(groups):
        # A single word out of its sentence says too little to stand large on the screen.
        title = next((one.text for one in talk.best(index, index + 1) if len(thai_words(one.text)) > 1), "")
        drafts.append(Draft(None, title[:1].upper() + title[1:], tuple(group), 0.0, look.transition))
    return drafts


def _evenly(lines: Sequence[Line], parts: int) -> list[list[Line]]:
    """Neighbouring lines in ``parts`` groups of about as many letters."""
    whole = sum(len(line.text) for line in lines)
    groups: list[list[Line]] = [[]]
    told = 0
    for index, line in enumerate(lines):
        left = len(lines) - index
        due = told + len(line.text) / 2 > whole * len(groups) / parts
        if groups[-1] and len(groups) < parts and (due or left <= parts - len(groups)):
            groups.append([])
        groups[-1].append(line)
        told += len(line.text)
    return groups


def spoken_seconds(draft: Draft, lengths: Sequence[float]) -> float:
    """How long a scene needs for what is said in it, with the silence around it; 0 for a silent one."""
    if not lengths:
        return 0.0
    return LEAD_SECONDS + laid(draft.lines, lengths)[-1].end + TAIL_SECONDS


def haste(drafts: Sequence[Draft], lengths: Sequence[Sequence[float]], total: float | None) -> float:
    """How much faster the voice has to speak so that everything fits into ``total`` seconds: 1 where it does already.

    Raises:
        InvalidInput: not even at :data:`MAX_HASTE`.
    """
    if total is None:
        return 1.0
    silent = sum(SHORTEST_SECONDS for one in lengths if not one)
    silent += sum(LEAD_SECONDS + TAIL_SECONDS for one in lengths if one)
    said = sum(laid(draft.lines, one)[-1].end for draft, one in zip(drafts, lengths, strict=True) if one)
    room = total - silent
    needed = said / room if room > 0 else float("inf")
    if (said and needed > MAX_HASTE) or room < 0:
        shortest = said / MAX_HASTE + silent
        raise InvalidInput(
            f"These scenes need at least {shortest:.0f} seconds.",
            "Choose a longer duration, or leave something out.",
        )
    return max(1.0, needed * 1.001)


def hurried(drafts: Sequence[Draft], speed: float) -> list[Draft]:
    """The scenes with the pauses of a voice that speaks this much faster."""
    return [
        replace(draft, lines=tuple(Line(line.text, line.pause / speed) for line in draft.lines)) for draft in drafts
    ]


Beats = Callable[[float], Sequence[float]]
"""The beats of the music within so many seconds."""


def plan(
    drafts: Sequence[Draft],
    lengths: Sequence[Sequence[float]],
    look: Look,
    *,
    total: float | None = None,
    beats: Beats | None = None,
) -> list[Scene]:
    """Give every scene its frames. ``lengths`` are the seconds of each scene's lines as they were spoken.

    Raises:
        InvalidInput: all of it would be longer than the studio makes.
    """
    least = [max(spoken_seconds(draft, one), SHORTEST_SECONDS) for draft, one in zip(drafts, lengths, strict=True)]
    wanted = [max(draft.seconds, need) for draft, need in zip(drafts, least, strict=True)]
    seconds = wanted if total is None else _fitted(wanted, least, total)
    if sum(seconds) > LONGEST_SECONDS + 1:
        raise InvalidInput(
            f"This would be a video of {sum(seconds) / 60:.0f} minutes.",
            f"The built-in engine makes at most {LONGEST_SECONDS / 60:.0f}.",
        )
    ends = _on_beats(seconds, least, beats(sum(seconds)) if beats else ())
    edges = [0, *(round(end * FPS) for end in ends)]
    scenes = []
    for index, (draft, one) in enumerate(zip(drafts, lengths, strict=True)):
        start, frames = edges[index], edges[index + 1] - edges[index]
        said = laid(draft.lines, one, start / FPS + LEAD_SECONDS) if one else []
        scenes.append(Scene(draft, start, frames, 0, tuple(said)))
    return [
        replace(scene, joint=_joint(scenes[index - 1], scene, look)) if index else scene
        for index, scene in enumerate(scenes)
    ]


def _fitted(wanted: Sequence[float], least: Sequence[float], total: float) -> list[float]:
    """Lengths of ``total`` in all: more for everybody, or less of what is not needed."""
    whole, needed = sum(wanted), sum(least)
    if total >= whole:
        return [one * total / whole for one in wanted]
    share = (total - needed) / (whole - needed) if whole > needed else 0.0
    return [low + (one - low) * max(share, 0.0) for one, low in zip(wanted, least, strict=True)]


def _on_beats(seconds: Sequence[float], least: Sequence[float], beats: Sequence[float]) -> list[float]:
    """Where each scene ends: on the beat nearest to where it would, no scene shorter than it must be, the last end
    where it was."""
    last = sum(seconds)
    ends: list[float] = []
    position = natural = 0.0
    for index, length in enumerate(seconds):
        natural += length
        rest = sum(least[index + 1 :])
        low, high = position + least[index], last - rest
        end = min(max(natural, low), high)
        if index + 1 < len(seconds):
            near = [beat for beat in beats if low <= beat <= high and abs(beat - end) <= REACH_SECONDS]
            end = min(near, key=lambda beat: abs(beat - end), default=end)
        else:
            end = max(last, low)
        ends.append(end)
        position = end
    return ends


def _joint(before: Scene, scene: Scene, look: Look) -> int:
    """Frames of the transition into a scene: at most half of it and of the one before."""
    if scene.draft.transition == "cut":
        return 0
    frames = min(round(look.transition_seconds * FPS), before.frames // 2, scene.frames // 2)
    return frames if frames >= LEAST_FRAMES else 0


@dataclass(frozen=True)
class Motion:
    """Where the window on a still stands at its beginning and its end: its middle as fractions of the free room (0–1),
    and how much of the still it shows (1 is all)."""

    x: tuple[float, float]
    y: tuple[float, float]
    shown: tuple[float, float]


def motion_of(index: int, look: Look) -> Motion:
    """How the still of scene ``index`` moves: in, along, out, back along; every scene differs from its neighbours."""
    near = 1.0 / (1.0 + look.drift)
    middle = (1.0 + near) / 2
    ways = (
        Motion((0.5, 0.6), (0.5, 0.4), (1.0, near)),
        Motion((0.0, 1.0), (0.35, 0.65), (middle, middle)),
        Motion((0.4, 0.5), (0.6, 0.5), (near, 1.0)),
        Motion((1.0, 0.0), (0.65, 0.35), (middle, middle)),
    )
    return ways[index % len(ways)]
