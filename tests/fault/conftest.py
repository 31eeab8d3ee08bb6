"""The loopback YouTube of the engine tests serves the fault tests too."""

from __future__ import annotations

from tests.engine.conftest import youtube

__all__ = ["youtube"]
