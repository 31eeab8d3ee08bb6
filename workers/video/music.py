"""The music of an edit: an asset of the library, or a built-in track that becomes one."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from core.assets import path_of
from core.errors import InvalidInput
from core.models.assets import Asset
from core.progress import Progress
from core.video.payloads import AddMusic, MusicChoice
from workers.context import JobContext


@dataclass(frozen=True)
class Music:
    """A file to lay under the voice, and what its licence says."""

    asset_id: UUID
    path: Path
    licence: str
    ai_generated: bool


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
    return Music(asset.id, path_of(asset), asset.licence, asset.ai_generated)


def _built_in(context: JobContext, name: str, progress: Progress) -> Music:
    from providers.audio import composer

    described = composer.describe(name)
    with context.session() as session:
        known = session.scalar(
            select(Asset)
            .where(
                Asset.owner_id == context.owner_id,
                Asset.kind == "audio",
                Asset.details["audio_preset"].astext == name,
                Asset.details["edition"].astext == described["edition"],
            )
            .order_by(Asset.created_at)
            .limit(1)
        )
    if known is not None:
        return Music(known.id, path_of(known), known.licence, known.ai_generated)
    from core.storage import storage
    from providers.video.probe import probe

    track = composer.ensure_track(context.folder / "music", name, progress=progress)
    copy = shutil.copy2(track, context.folder / f"{name}.wav")
    staged = context.stage_asset(
        Path(copy),
        kind="audio",
        name=f"{name}.wav",
        metadata=described,
        duration_seconds=probe(track).duration_seconds,
        has_audio=True,
        licence=composer.LICENCE,
    )
    return Music(UUID(staged.asset_id), storage().local_path(staged.storage_key), staged.licence, False)
