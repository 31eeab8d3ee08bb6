"""The engines that separate stems, by the names that orders call them."""

from __future__ import annotations

from core.music.separation import StemProvider, require_ready
from providers.audio.base import AudioProviderBase


def provider_of(name: StemProvider) -> AudioProviderBase:
    """The engine, ready to work.

    Raises:
        NotConfigured: it lacks an installation or weights, or is not part of the studio.
    """
    require_ready(name)
    if name == "demucs":
        from providers.audio.stems_demucs import DemucsStems

        return DemucsStems()
    from providers.audio.stems_builtin import BuiltinStems

    return BuiltinStems()
