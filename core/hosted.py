"""Where a hosted service is, whoever asks it and for what."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Service:
    """A service in the form of OpenAI's API: the address before its paths, the model's name there, and the key, empty
    where none is needed (a server of the user's own)."""

    base: str
    model: str
    key: str
