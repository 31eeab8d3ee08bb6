"""Which publisher speaks for an account. Asking imports a client library only when one is needed."""

from __future__ import annotations

from core.models.publishing import PlatformAccount
from core.publishing.rules import rules_of
from core.publishing.tokens import AccountCredentials
from providers.publishing.base import PlatformPublisherBase


def publisher_of(account: PlatformAccount) -> PlatformPublisherBase:
    """The publisher of an account.

    Raises:
        InvalidInput: the studio cannot publish to this platform yet.
    """
    rules_of(account.platform)
    if account.platform == "simulated":
        from providers.publishing.simulated import SimulatedPublisher

        return SimulatedPublisher(account.id)
    from providers.publishing.youtube import YouTubePublisher

    return YouTubePublisher(AccountCredentials(account.id))
