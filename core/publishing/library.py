"""Deleting an asset with what publishing made of it: drafts go with it, what is on its way to a platform keeps it."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import assets
from core.errors import Conflict
from core.models.assets import AssetLink
from core.models.publishing import Episode, PublicationRecord
from core.publishing import episodes, states
from core.security import Actor

_WAITING = states.ACTIVE | {"scheduled", "needs_review", "needs_reconnect"}


def delete_asset(session: Session, actor: Actor, asset_id: UUID | str, *, with_dependants: bool = False) -> list[str]:
    """Delete an asset, its helper files and its draft episodes (I2); returns the storage keys to remove once the
    change is committed.

    Raises:
        NotFound: no such asset in the session's scope.
        Conflict: results were made from it and ``with_dependants`` is false, or a publication still needs its file.
    """
    actor.require("editor")
    family = _family(session, assets.get(session, asset_id).id)
    waiting = session.scalar(
        select(PublicationRecord.title)
        .where(PublicationRecord.asset_id.in_(family), PublicationRecord.state.in_(_WAITING))
        .limit(1)
    )
    if waiting is not None:
        raise Conflict("This file is about to be published.", f"Cancel the publication first: {waiting}")
    drafts = select(Episode.id).where(Episode.asset_id.in_(family), Episode.state == "draft")
    for episode_id in session.scalars(drafts).all():
        episodes.discard(session, actor, episode_id)
    return assets.delete(session, actor, asset_id, with_dependants=with_dependants)


def _family(session: Session, asset_id: UUID) -> set[UUID]:
    """An asset and everything made from it, at any distance."""
    found, edge = {asset_id}, {asset_id}
    while edge:
        children = select(AssetLink.child_id).where(AssetLink.parent_id.in_(edge))
        edge = set(session.scalars(children)) - found
        found |= edge
    return found
