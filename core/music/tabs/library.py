"""The tabs of a sound: their rows, and the files that were made with each."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.models.assets import Asset, TabRecord
from core.music.tabs.model import Tab


@dataclass(frozen=True)
class StoredTab:
    """``files``: the tab's assets by format (text, gp5, musicxml)."""

    id: UUID
    record: TabRecord
    tab: Tab
    files: dict[str, Asset]


def tabs_of(session: Session, audio_asset_id: UUID) -> list[StoredTab]:
    """All tabs of a sound that still have a file, the newest first."""
    records = session.scalars(
        select(TabRecord).where(TabRecord.audio_asset_id == audio_asset_id).order_by(TabRecord.created_at.desc())
    ).all()
    identifiers = [str(record.id) for record in records]
    files: dict[str, dict[str, Asset]] = {}
    made = select(Asset).where(Asset.kind == "tab", Asset.details["tab_id"].astext.in_(identifiers))
    for asset in session.scalars(made):
        files.setdefault(str(asset.details["tab_id"]), {})[str(asset.details["format"])] = asset
    return [
        StoredTab(record.id, record, Tab.model_validate(record.document), files[str(record.id)])
        for record in records
        if str(record.id) in files
    ]
