"""What an engine for sound is to the studio."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

from core.music.separation import Stem
from core.progress import Progress, no_progress


class AudioProviderBase(ABC):
    """One engine. ``name`` is what orders call it by, ``edition`` what is recorded with its results."""

    name: str
    edition: str

    @abstractmethod
    def separate_stems(
        self, source: Path, folder: Path, *, duration_seconds: float = 0.0, progress: Progress = no_progress
    ) -> Mapping[Stem, Path]:
        """Write the four stems of ``source`` (any file with sound) into ``folder`` as 48 kHz stereo WAV of 24 bits,
        each as long as the song, in memory that does not grow with its length.

        Raises:
            UnsupportedMedia: no sound, or a damaged file.
            NotConfigured: the engine or its weights are not on this machine.
            JobCancelled: raised by ``progress``.
        """
