"""The loopback platforms of the engine tests serve the fault tests too."""

from __future__ import annotations

from tests.engine.conftest import tiktok, youtube

__all__ = ["tiktok", "youtube"]
