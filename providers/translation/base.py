"""What every translation engine can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from core.progress import Progress, no_progress


class TranslatorBase(ABC):
    """Translates sentences. ``name`` tells results of one engine from another's; ``licence`` travels with them."""

    name: str
    licence: str

    @abstractmethod
    def translate(
        self, sentences: Sequence[str], source: str, target: str, progress: Progress = no_progress
    ) -> list[str]:
        """One text for each sentence, in order, none empty. ``source`` and ``target`` are languages ("en", "th").

        ``progress`` is told at least once a second and may raise to stop.

        Raises:
            ProviderRefused: the service says no, cannot be reached, or answers something else than asked.
            EngineFailed: the engine gave no text.
        """
