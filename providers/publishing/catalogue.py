"""Which publisher speaks for an account, and which platforms are ready. Naming them imports no client library."""

from __future__ import annotations

from dataclasses import dataclass

from core.models.publishing import PlatformAccount
from core.publishing.rules import NOT_READY, RULES, rules_of
from core.publishing.tokens import AccountCredentials
from providers.publishing.base import PlatformPublisherBase


@dataclass(frozen=True)
class PublisherEntry:
    """A platform and whether the studio can publish to it; ``reason`` says why not."""

    name: str
    ready: bool
    reason: str
    simulated: bool


def entries() -> list[PublisherEntry]:
    """Every platform the studio knows."""
    able = [PublisherEntry(name, True, "", name == "simulated") for name in RULES]
    return able + [PublisherEntry(name, False, reason, False) for name, reason in NOT_READY.items()]


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
