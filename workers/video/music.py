"""The music of an edit: an asset of the library, or a built-in track that becomes one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from core.assets import path_of
from core.errors import InvalidInput
from core.progress import Progress
from core.storage import storage
from core.video.payloads import AddMusic, MusicChoice
from workers.context import JobContext
from workers.music import builtin


@dataclass(frozen=True)
class Music:
    """A file to lay under the voice, what its licence says, and whether its end joins its beginning."""

    asset_id: UUID
    path: Path
    licence: str
    ai_generated: bool
    seamless: bool


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
    return Music(asset.id, path_of(asset), asset.licence, asset.ai_generated, _seamless(asset.details))


def _built_in(context: JobContext, name: str, progress: Progress) -> Music:
    known = builtin.find(context, name)
    if known is not None:
        return Music(known.id, path_of(known), known.licence, known.ai_generated, _seamless(known.details))
    staged = builtin.stage(context, name, progress)
    path = storage().local_path(staged.storage_key)
    return Music(UUID(staged.asset_id), path, staged.licence, staged.ai_generated, _seamless(staged.metadata))


def _seamless(metadata: Mapping[str, Any]) -> bool:
    return bool(metadata.get("loopable"))
