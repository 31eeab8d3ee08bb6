"""The states of a publication and which may follow which. Pure; the conditional updates elsewhere name these sets.

    draft → scheduled → claimed → submitting → processing → published | published_with_warnings

Anything that needs a person ends in failed, needs_review (it may be on the platform: look), needs_reconnect (the
account) or missed (too late by its own policy); cancelled is the user's own word. A post that the platform publishes at
its own clock goes from processing back to scheduled, with its id there, until its time.
"""

from __future__ import annotations

ACTIVE = frozenset({"claimed", "submitting", "processing"})
PUBLISHED = frozenset({"published", "published_with_warnings"})
NEEDS_PERSON = frozenset({"failed", "needs_review", "needs_reconnect", "missed"})
MOVABLE = frozenset({"draft", "scheduled", "failed", "needs_reconnect", "missed", "cancelled"})
"""States in which a new time may be set: nothing of it is, or may be, on the platform."""
CANCELLABLE = frozenset({"draft", "scheduled", "claimed", "failed", "needs_review", "needs_reconnect", "missed"})
"""Once ``submitting``, cancelling means deleting what was published, which is asked of the user on the platform."""
RETRYABLE = frozenset({"failed", "needs_reconnect", "missed", "cancelled"})

TRANSITIONS: dict[str, frozenset[str]] = {
    "draft": frozenset({"scheduled", "cancelled"}),
    "scheduled": frozenset({"draft", "scheduled", "claimed", "cancelled", "missed", "needs_reconnect", "failed"}),
    "claimed": frozenset(
        {"scheduled", "submitting", "processing", "failed", "cancelled", "needs_review", "needs_reconnect"}
    ),
    "submitting": frozenset(
        {"scheduled", "processing", "failed", "cancelled", "needs_review", "needs_reconnect"} | PUBLISHED
    ),
    "processing": frozenset({"scheduled", "cancelled", "failed", "needs_review", "needs_reconnect"} | PUBLISHED),
    "published": frozenset(),
    "published_with_warnings": frozenset({"published"}),
    "failed": frozenset({"scheduled", "cancelled"}),
    "needs_review": frozenset({"scheduled", "cancelled", "processing"} | PUBLISHED),
    "needs_reconnect": frozenset({"scheduled", "cancelled"}),
    "missed": frozenset({"scheduled", "cancelled"}),
    "cancelled": frozenset({"scheduled"}),
}


def may_follow(current: str, following: str) -> bool:
    """Whether ``following`` may come directly after ``current``."""
    return following in TRANSITIONS[current]


def episode_state(publication_states: list[str]) -> str:
    """What an episode is, by its publications: published beats scheduled beats draft."""
    states = set(publication_states)
    if states & PUBLISHED:
        return "published"
    if states & (ACTIVE | {"scheduled", "needs_review", "needs_reconnect", "missed"}):
        return "scheduled"
    return "draft"
