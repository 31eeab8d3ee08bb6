"""Which consent page connects which platform, in the order the page offers them."""

from __future__ import annotations

from core.errors import InvalidInput
from core.publishing.google_oauth import GoogleFlow
from core.publishing.meta_oauth import MetaFlow
from core.publishing.oauth import OAuthFlow
from core.publishing.rules import rules_of
from core.publishing.tiktok_oauth import TikTokFlow

FLOWS: dict[str, OAuthFlow] = {
    flow.platform: flow
    for flow in (GoogleFlow(), TikTokFlow(), MetaFlow("facebook", "Facebook"), MetaFlow("instagram", "Instagram"))
}


def flow_of(platform: str) -> OAuthFlow:
    """The flow of a platform.

    Raises:
        InvalidInput: the studio cannot publish there yet, or nothing needs to be connected.
    """
    rules_of(platform)
    if platform not in FLOWS:
        raise InvalidInput("This platform needs no connection.")
    return FLOWS[platform]
