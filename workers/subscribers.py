"""The modules that subscribe to events; importing them registers their functions with the bus."""

from __future__ import annotations

from importlib import import_module

SUBSCRIBER_MODULES = (
    *("core.publishing.episodes", "core.publishing.pipelines.runs"),
    *("core.recordings", "core.music.metadata", "core.music.stems"),
)


def load_subscribers() -> None:
    """Import every module with subscribers."""
    for module in SUBSCRIBER_MODULES:
        import_module(module)
