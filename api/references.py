"""What a request refers to is checked before a job exists: it is there, it is the asker's, it is of the right kind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from core import assets
from core.database import get_owned
from core.errors import InvalidInput
from core.models.assets import Asset, TimelineRow
from core.models.identity import Project
from core.music.presets import PRESETS
from core.preferences import stored_names
from core.translation import HOSTED_KEY, Provider, others, require_ready
from core.video.payloads import AddMusic, CutByBeat, MusicChoice, Operation


def video(session: Session, asset_id: UUID) -> Asset:
    """A video of the session's scope.

    Raises:
        NotFound: no such asset, or somebody else's.
        InvalidInput: it is not a video.
    """
    asset = assets.get(session, asset_id)
    if asset.kind != "video":
        raise InvalidInput(f"“{asset.name}” is not a video.", "Choose a video.")
    return asset


def sound(session: Session, asset_id: UUID) -> Asset:
    """An audio asset, or a video that has sound.

    Raises:
        NotFound: no such asset, or somebody else's.
        InvalidInput: it has no sound.
    """
    asset = assets.get(session, asset_id)
    if asset.kind not in ("audio", "video") or not asset.has_audio:
        raise InvalidInput(f"“{asset.name}” has no sound.", "Choose an audio file, or a video with sound.")
    return asset


def picture(session: Session, asset_id: UUID) -> Asset:
    """A picture of the session's scope.

    Raises:
        NotFound: no such asset, or somebody else's.
        InvalidInput: it is not a picture.
    """
    asset = assets.get(session, asset_id)
    if asset.kind != "image":
        raise InvalidInput(f"“{asset.name}” is not a picture.", "Choose a picture as the cover.")
    return asset


def music(session: Session, choice: MusicChoice | AddMusic | None) -> None:
    """Background music: an asset with sound, or a built-in preset by its name."""
    if choice is None:
        return
    if choice.music_asset_id is not None:
        sound(session, choice.music_asset_id)
    elif choice.audio_preset not in PRESETS:
        raise InvalidInput("The studio has no music of this name.", f"It has {', '.join(sorted(PRESETS))}.")


def operations(session: Session, wanted: Iterable[Operation]) -> None:
    """Everything a list of operations refers to."""
    for operation in wanted:
        if isinstance(operation, AddMusic):
            music(session, operation)
        elif isinstance(operation, CutByBeat) and operation.music_asset_id is not None:
            sound(session, operation.music_asset_id)


def pictures(session: Session, asset_ids: Iterable[UUID]) -> None:
    """Pictures of the session's scope.

    Raises:
        NotFound: no such asset, or somebody else's.
        InvalidInput: one is no picture.
    """
    for asset_id in asset_ids:
        asset = assets.get(session, asset_id)
        if asset.kind != "image":
            raise InvalidInput(f"“{asset.name}” is not a picture.", "Choose pictures; recordings are edited instead.")


def translation(session: Session, asset: Asset, asked: str, targets: Sequence[str], provider: Provider) -> None:
    """What would translate to ``targets`` is ready; where nobody has said what is spoken, the job finds out.

    Raises NotConfigured.
    """
    spoken = str(asset.details.get("language") or "auto") if asked == "auto" else asked
    wanted = [] if spoken == "auto" else others(spoken, tuple(targets))
    if wanted:
        has_key = HOSTED_KEY in stored_names(session)
        require_ready(provider, has_key=has_key, source=spoken, targets=wanted)


def timeline(session: Session, timeline_id: UUID) -> TimelineRow:
    """A stored timeline of the session's scope whose source is still there."""
    row = get_owned(session, TimelineRow, timeline_id)
    video(session, row.source_asset_id)
    return row


def project(session: Session, project_id: UUID | None) -> UUID | None:
    """The identifier of a project of the session's scope, or None."""
    return None if project_id is None else get_owned(session, Project, project_id).id
