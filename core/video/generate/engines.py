"""Who makes a video out of an order, and whether they can; told without loading an engine (SPEC V1.5)."""

from __future__ import annotations

from collections.abc import Container

from core.errors import InvalidInput, NotConfigured
from core.video.generate.payloads import GenerateInput

BUILTIN = "internal_ffmpeg"
KEYS = {"runway": "RUNWAY_API_KEY", "luma": "LUMA_API_KEY", "pika": "FAL_KEY"}
"""The stored key of each hosted engine; Pika's API is fal's."""
LONGEST_CLIP = {"runway": 10.0, "luma": 9.0, "pika": 10.0}
"""Seconds."""


def require_ready(order: GenerateInput, stored: Container[str]) -> None:
    """Refuse an order that its provider cannot carry out; another one is the user's choice, never ours. ``stored`` are
    the names of the studio's keys.

    Raises:
        NotConfigured: naming what is missing.
        InvalidInput: a hosted engine makes one clip of a prompt.
    """
    if order.provider == BUILTIN:
        return
    if order.prompt is None:
        raise InvalidInput(
            "This service makes one clip from a few words.",
            "Choose the built-in engine for pictures, scripts and storyboards.",
        )
    longest = LONGEST_CLIP[order.provider]
    if order.duration_seconds is not None and order.duration_seconds > longest:
        raise InvalidInput(f"This service makes clips of at most {longest:.0f} seconds.")
    key = KEYS[order.provider]
    if key not in stored:
        raise NotConfigured("This service has no key.", f"Store {key} under Settings.", setting=key)
