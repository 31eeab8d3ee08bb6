"""Stem groups: finding them, what a song's page and the library need of them, and preparing new stems (I3b)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import assets, events, recordings
from core.database import get_owned
from core.errors import InvalidInput
from core.models.assets import Asset, StemGroup
from core.models.jobs import OutboxEvent
from core.music.separation import STEMS
from core.music.stem_payloads import MixInput, MixPreset, MixTrack

ROLE = "stem"
"""What a stem is called in its lineage."""
COMPOSER = "composer"
"""Whose group the instruments of a composed song are."""


@events.subscriber(events.AUDIO_STEMS_CREATED)
def track(session: Session, event: OutboxEvent) -> None:
    """Note the group at its song, where the library shows it, and have the stems prepared like any recording (SPEC
    I3b). Idempotent; a song or a group deleted meanwhile needs nothing."""
    song = session.get(Asset, UUID(event.data["asset_id"]))
    group = session.get(StemGroup, UUID(event.data["stem_group_id"]))
    if song is None or group is None or song.owner_id != event.owner_id or group.owner_id != event.owner_id:
        return
    song.details = {**song.details, "stem_group_id": str(group.id)}
    for stem_id in group.stems.values():
        recordings.prepare(session, event.owner_id, UUID(stem_id))


def groups_of(session: Session, asset_id: UUID) -> list[StemGroup]:
    """The stem groups of a song that still have a stem, newest first."""
    rows = session.scalars(
        select(StemGroup)
        .where(StemGroup.audio_asset_id == asset_id)
        .order_by(StemGroup.created_at.desc(), StemGroup.id.desc())
    )
    return [row for row in rows if members(session, row)]


def members(session: Session, group: StemGroup) -> dict[str, Asset]:
    """The assets of a group that are still there, by stem: separated ones in the usual order, the instruments of a
    composed song as they were made."""
    others = sorted((name for name in group.stems if name not in STEMS), key=group.stems.__getitem__)
    names = [*(name for name in STEMS if name in group.stems), *others]
    wanted = {name: UUID(group.stems[name]) for name in names}
    found = {row.id: row for row in session.scalars(select(Asset).where(Asset.id.in_(wanted.values())))}
    return {name: found[identifier] for name, identifier in wanted.items() if identifier in found}


def count_of(session: Session, song: Asset) -> int:
    """How many stems of a song are in the library; songs that were never separated cost no query."""
    if "stem_group_id" not in song.details:
        return 0
    return sum(len(members(session, group)) for group in groups_of(session, song.id))


def tracks_of(session: Session, order: MixInput) -> list[tuple[MixTrack, Asset]]:
    """The tracks that a mix is made of, without the muted ones.

    Raises:
        NotFound: a group or a sound that is not there, or somebody else's.
        InvalidInput: a track without sound, or a group that lacks a stem which the preset needs.
    """
    if order.stem_group_id is None:
        found = [(track, assets.get(session, track.asset_id)) for track in order.tracks]
    else:
        group = get_owned(session, StemGroup, order.stem_group_id)
        found = [(MixTrack(asset_id=one.id), one) for one in _chosen(session, group, order.preset)]
    for _, asset in found:
        if asset.kind not in ("audio", "video") or not asset.has_audio:
            raise InvalidInput(f"“{asset.name}” has no sound.", "Choose an audio file, or a video with sound.")
    return [(track, asset) for track, asset in found if not track.muted]


def _chosen(session: Session, group: StemGroup, preset: MixPreset) -> list[Asset]:
    stems = members(session, group)
    everybody = tuple(group.stems) if group.provider == COMPOSER else STEMS
    wanted = ["vocal"] if preset == "acapella" else [name for name in everybody if preset == "all" or name != "vocal"]
    missing = [name for name in wanted if name not in stems]
    if missing:
        raise InvalidInput("This group of stems is not complete.", f"Missing: {', '.join(missing)}.")
    return [stems[name] for name in wanted]


def is_stem(asset: Asset) -> bool:
    """Whether an asset is a stem of a song, which the library shows with its song."""
    return bool(asset.details.get("stem"))
