"""Which notes sound when: Basic Pitch's network, run from its ONNX file (Apache-2.0) without its package.

Bittner et al., "A lightweight instrument-agnostic model for polyphonic note transcription and multipitch estimation"
(ICASSP 2022).
"""

from __future__ import annotations

import importlib.util
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import NotConfigured
from core.music.keys import Heard
from core.progress import Progress, no_progress

RATE = 22_050
HOP = 256
LOWEST = 21
"""MIDI number of the first of the 88 columns."""
FRAMES_PER_SECOND = RATE / HOP
SOUNDS = 0.3
OPENING_SECONDS, CLOSING_SECONDS = 2.0, 1.5
# The network sees two seconds; what it says near the edges of that is not used.
_WINDOW, _EDGE, _KEPT = 43_844, 15, 142
_MODEL = Path("saved_models/icassp_2022/nmp.onnx")
Array = np.ndarray[Any, np.dtype[np.float32]]


def activations(samples: Array, *, progress: Progress = no_progress) -> tuple[Array, Array]:
    """How surely each note sounds, and begins, in each frame: two arrays (frames, 88) of 0–1 from mono at 22 050 Hz.

    Frame ``n`` is at ``n / FRAMES_PER_SECOND`` seconds.

    Raises:
        NotConfigured: the package with the network is not installed.
    """
    session = _session()
    frames = -(-samples.size // HOP)
    padded = np.concatenate([np.zeros(_EDGE * HOP, np.float32), samples, np.zeros(_WINDOW, np.float32)])
    notes, onsets = [], []
    steps = range(0, frames, _KEPT)
    for step in steps:
        window = padded[step * HOP : step * HOP + _WINDOW].reshape(1, _WINDOW, 1)
        note, onset = session.run(
            ["StatefulPartitionedCall:1", "StatefulPartitionedCall:2"], {"serving_default_input_2:0": window}
        )
        notes.append(note[0, _EDGE : _EDGE + _KEPT])
        onsets.append(onset[0, _EDGE : _EDGE + _KEPT])
        progress(min(1.0, (step + _KEPT) / frames), "stage.listen")
    return np.concatenate(notes)[:frames], np.concatenate(onsets)[:frames]


def heard(notes: Array) -> Heard:
    """What :func:`activations` found, as the chromas that tell a key."""
    sounding = np.sqrt(np.where(notes > SOUNDS, notes, 0.0))
    frames = np.nonzero(sounding.sum(axis=1))[0]
    end = int(frames[-1]) + 1 if frames.size else len(sounding)
    lowest = np.bincount((np.argmax(sounding[frames] > 0, axis=1) + LOWEST) % 12, minlength=12)

    def chroma(part: Array) -> list[float]:
        by_class = np.bincount((np.arange(part.shape[1]) + LOWEST) % 12, weights=part.sum(axis=0), minlength=12)
        return [float(value) for value in by_class]

    return Heard(
        whole=chroma(sounding),
        opening=chroma(sounding[: round(OPENING_SECONDS * FRAMES_PER_SECOND)]),
        closing=chroma(sounding[max(0, end - round(CLOSING_SECONDS * FRAMES_PER_SECOND)) : end]),
        bass=[float(value) for value in lowest],
    )


@lru_cache(maxsize=1)
def _session() -> Any:
    import onnxruntime

    spec = importlib.util.find_spec("basic_pitch")
    if spec is None or spec.origin is None:
        raise NotConfigured("Note recognition is not installed.", "Run “make run” again.", setting="basic-pitch")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    path = Path(spec.origin).parent / _MODEL
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
