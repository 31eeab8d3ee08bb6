"""What a platform's own form in the publish dialog answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

OPEN = "publishing_episode"
"""Where the session keeps the episode that the dialog is open for."""


@dataclass(frozen=True)
class Answers:
    """``privacy`` None where nobody chose yet; ``options`` by the names of
    :class:`core.publishing.payloads.PublicationOptions`."""

    privacy: str | None
    options: dict[str, Any] = field(default_factory=dict)
