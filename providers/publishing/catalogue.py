"""Which publisher speaks for an account. Asking imports a client library only when one is needed."""

from __future__ import annotations

from collections.abc import Callable

from core.models.publishing import PlatformAccount
from core.publishing.rules import rules_of
from core.publishing.tokens import AccountCredentials, app_secret
from providers.publishing.base import PlatformPublisherBase


def _simulated(account: PlatformAccount) -> PlatformPublisherBase:
    from providers.publishing.simulated import SimulatedPublisher

    return SimulatedPublisher(account.id)


def _tiktok(account: PlatformAccount) -> PlatformPublisherBase:
    from providers.publishing.tiktok import TikTokPublisher

    username = str((account.details.get("creator") or {}).get("username", ""))
    return TikTokPublisher(AccountCredentials(account.id), username)


def _youtube(account: PlatformAccount) -> PlatformPublisherBase:
    from providers.publishing.youtube import YouTubePublisher

    return YouTubePublisher(AccountCredentials(account.id))


def _facebook(account: PlatformAccount) -> PlatformPublisherBase:
    from providers.publishing.facebook import FacebookPublisher

    credentials, secret = AccountCredentials(account.id), app_secret(account.id)
    return FacebookPublisher(credentials, account.external_id, app_secret=secret, account_id=account.id)


def _instagram(account: PlatformAccount) -> PlatformPublisherBase:
    from providers.publishing.instagram import InstagramPublisher

    credentials, secret = AccountCredentials(account.id), app_secret(account.id)
    return InstagramPublisher(credentials, account.external_id, app_secret=secret, account_id=account.id)


PUBLISHERS: dict[str, Callable[[PlatformAccount], PlatformPublisherBase]] = {
    "facebook": _facebook,
    "instagram": _instagram,
    "simulated": _simulated,
    "tiktok": _tiktok,
    "youtube": _youtube,
}


def publisher_of(account: PlatformAccount) -> PlatformPublisherBase:
    """The publisher of an account.

    Raises:
        InvalidInput: the studio cannot publish to this platform yet.
    """
    rules_of(account.platform)
    return PUBLISHERS[account.platform](account)
