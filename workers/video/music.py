"""The music of an edit: an asset of the library, or a built-in track that becomes one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select

from core.assets import path_of
from core.errors import InvalidInput
from core.models.assets import Asset, AudioAnalysis
from core.progress import Progress
from core.storage import storage
from core.video.beats import BeatGrid
from core.video.payloads import AddMusic, CutByBeat, MusicChoice, Operation
from core.video.plan import find, follows_beats
from providers.video.soundtrack import repeats_after
from workers.context import JobContext
from workers.music import builtin
from workers.music.analyze import measure


@dataclass(frozen=True)
class Music:
    """A file to lay under the voice, what its licence says, and what is known of the track (``details``): a built-in
    one may not be in the library yet."""

    asset_id: UUID
    path: Path
    licence: str
    ai_generated: bool
    name: str
    seconds: float
    details: Mapping[str, Any]

    @property
    def seamless(self) -> bool:
        """Whether its end joins its beginning."""
        return bool(self.details.get("loopable"))


def find_music(context: JobContext, choice: AddMusic | MusicChoice | None, progress: Progress) -> Music | None:
    """The chosen music. A built-in track not yet in the library is played by the soundfont and put there.

    Raises:
        InvalidInput: the asset has no sound, or there is no built-in track of that name.
        NotFound: no such asset.
    """
    if choice is None:
        return None
    if choice.music_asset_id is not None:
        return music_of(context, choice.music_asset_id)
    assert choice.audio_preset is not None
    return _built_in(context, choice.audio_preset, progress)


def music_of(context: JobContext, asset_id: UUID) -> Music:
    """The music of a stored timeline."""
    asset = context.asset(asset_id)
    if not asset.has_audio:
        raise InvalidInput(f"“{asset.name}” has no sound to use as music.", "Choose a track from the Music Lab.")
    return _of(asset)


def _built_in(context: JobContext, name: str, progress: Progress) -> Music:
    known = builtin.find(context, name)
    if known is not None:
        return _of(known)
    staged = builtin.stage(context, name, progress)
    path = storage().local_path(staged.storage_key)
    seconds = staged.duration_seconds or 0.0
    return Music(
        UUID(staged.asset_id), path, staged.licence, staged.ai_generated, staged.name, seconds, staged.metadata
    )


def _of(asset: Asset) -> Music:
    seconds = asset.duration_seconds or 0.0
    return Music(asset.id, path_of(asset), asset.licence, asset.ai_generated, asset.name, seconds, dict(asset.details))


def asked_grid(
    context: JobContext, operations: Sequence[Operation], music: Music | None, progress: Progress
) -> BeatGrid | None:
    """The beats that joints are to fall on: of the track that ``cut_by_beat`` names, else of the music; None where
    nobody asked for it."""
    if not follows_beats(operations):
        return None
    named = find(operations, CutByBeat)
    track = music_of(context, named.music_asset_id) if named and named.music_asset_id else music
    assert track is not None  # the payload names one
    return beat_grid(context, track, progress)


def beat_grid(context: JobContext, track: Music, progress: Progress) -> BeatGrid:
    """The beats of a track as it is laid under a result: what its score or its user says, else measured.

    Raises InvalidInput when no beat is found in it.
    """
    beats = _known_beats(context, track)
    if beats is None:
        beats = measure(context, context.asset(track.asset_id), ("tempo", "beats"), progress)["beats"]
    if len(beats) < 2:
        raise InvalidInput(
            f"No beat was found in “{track.name}”, so nothing can be cut to it.",
            "Choose music with a clear beat, or leave cutting by the beat out.",
        )
    return BeatGrid(tuple(float(beat) for beat in beats), repeats_after(track.seconds, seamless=track.seamless))


def _known_beats(context: JobContext, track: Music) -> list[float] | None:
    details = track.details
    if details.get("builtin"):
        return [index * 60.0 / details["bpm"] for index in range(details["bars"] * 4)]
    with context.session() as session:
        row = session.scalar(select(AudioAnalysis).where(AudioAnalysis.audio_asset_id == track.asset_id))
        known = {**row.result, **row.corrections} if row else {}
    return known.get("beats")
