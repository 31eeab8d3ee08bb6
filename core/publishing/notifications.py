"""Which room takes which platform's notifications."""

from __future__ import annotations

from core.errors import NotFound
from core.publishing.inbox import Room
from core.publishing.meta_webhooks import MetaRoom
from core.publishing.tiktok_webhooks import TikTokRoom
from core.publishing.webhooks import YouTubeRoom

ROOMS: dict[str, Room] = {
    room.platform: room for room in (YouTubeRoom(), TikTokRoom(), MetaRoom("facebook"), MetaRoom("instagram"))
}


def room_of(platform: str) -> Room:
    """The room of a platform; raises :class:`NotFound` for one that sends nothing here."""
    if platform not in ROOMS:
        raise NotFound("This platform sends nothing here.")
    return ROOMS[platform]
