"""Which languages subtitles are translated to, what can translate them, and what of it is here (SPEC V3.3)."""

from __future__ import annotations

LANGUAGES = (
    "en", "th", "zh", "ja", "ko", "vi", "id", "ms", "lo", "km", "my", "hi", "ar", "es", "pt", "fr", "de", "it", "ru",
    "tr", "nl", "pl",
)  # fmt: skip
"""What the pages offer; over HTTP any code that the chosen engine knows."""
