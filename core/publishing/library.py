"""Deleting an asset with what publishing made of it: drafts go with it, what is on its way to a platform keeps it.

A published post needs its file no more, but only the user can say so; a draft with money recorded for it is kept.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Select, Text, cast, or_, select
from sqlalchemy.orm import Session

from core import assets
from core.errors import Conflict
from core.models.assets import Asset, AssetLink
from core.models.publishing import Episode, PublicationRecord
from core.publishing import dependants, episodes, states
from core.security import Actor


def delete_asset(session: Session, actor: Actor, asset_id: UUID | str, *, with_dependants: bool = False) -> list[str]:
    """Delete an asset, its helper files and its draft episodes (I2); returns the storage keys to remove once the
    change is committed. With ``with_dependants`` also what was made from it, and files of posts that are published
    (posts and figures stay).

    Raises:
        NotFound: no such asset in the session's scope.
        Conflict: the sentence names what depends on it: results made from it, published posts, posts on their way,
            drafts with money.
    """
    actor.require("editor")
    asset = assets.get(session, asset_id)
    family = _family(session, asset.id) if with_dependants else _helpers(session, asset.id)
    waiting = session.scalars(_posts(family).where(PublicationRecord.state.in_(dependants.WAITING)).limit(3)).all()
    if waiting:
        titles = ", ".join(dict.fromkeys(row.title for row in waiting))
        raise Conflict("This file is about to be published.", f"Cancel the publication first: {titles}")
    published = session.scalars(_posts(family).where(PublicationRecord.state.in_(states.PUBLISHED))).all()
    if published and not with_dependants:
        titles = ", ".join(dict.fromkeys(row.title for row in published[:3]))
        raise Conflict(
            f"{len(published)} published posts use this file.",
            f"The posts and their figures stay when you delete it all the same: {titles}",
        )
    for episode in session.scalars(select(Episode).where(Episode.asset_id.in_(family), Episode.state == "draft")):
        episodes.discard(session, actor, episode.id)
    return assets.delete(session, actor, asset.id, with_dependants=with_dependants)


def posts_of(session: Session, asset_id: UUID) -> list[PublicationRecord]:
    """Published posts that use this file or its helper files, for the page that asks before it deletes."""
    return list(
        session.scalars(_posts(_helpers(session, asset_id)).where(PublicationRecord.state.in_(states.PUBLISHED)))
    )


def _posts(family: set[UUID]) -> Select[PublicationRecord]:
    """Publications that send one of these files: as video, thumbnail or captions."""
    record = PublicationRecord
    captions = [cast(record.options["captions"], Text).contains(str(each)) for each in family]
    return select(record).where(or_(record.asset_id.in_(family), record.thumbnail_asset_id.in_(family), *captions))


def _helpers(session: Session, asset_id: UUID) -> set[UUID]:
    """An asset and the hidden files that go with it (proxy, poster, waveform)."""
    children = (
        select(AssetLink.child_id)
        .join(Asset, Asset.id == AssetLink.child_id)
        .where(AssetLink.parent_id == asset_id, Asset.hidden.is_(True))
    )
    return {asset_id, *session.scalars(children)}


def _family(session: Session, asset_id: UUID) -> set[UUID]:
    """An asset and everything made from it, at any distance."""
    found, edge = {asset_id}, {asset_id}
    while edge:
        children = select(AssetLink.child_id).where(AssetLink.parent_id.in_(edge))
        edge = set(session.scalars(children)) - found
        found |= edge
    return found
