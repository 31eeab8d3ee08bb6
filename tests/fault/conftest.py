"""The loopback platforms of the engine tests serve the fault tests too."""

from __future__ import annotations

from tests.engine.conftest import meta, tiktok, upright, video, youtube

__all__ = ["meta", "tiktok", "upright", "video", "youtube"]
