"""Media that the tests make, with the truth known: speech by Piper, a talking face, music by the soundfont.

Making them is slow, so a clip is made once and kept in a private folder among the machine's temporary files, by
the hash of what it is made of. A test must copy a clip before changing it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import soundfile

from core.music.score import DRUMS, Note, Part, Score, degree_chord
from providers.audio import soundfont
from providers.speech import piper
from providers.speech.piper import SpokenSentence
from providers.video.process import output_argument, run_ffmpeg
from workers.video import moving_picture, presenter
from workers.video.moving_picture import Scene

T = TypeVar("T")

TALK = (
    "Every video begins with one clear idea.",
    "Write that idea down before you touch the camera.",
    "Good light matters more than an expensive lens.",
    "Place a window in front of you and turn off the lamp.",
    "Then speak as if you were talking to one friend.",
    "People stay when the first sentence makes a promise.",
)


@dataclass(frozen=True)
class SpokenClip:
    """A mono WAV and what is said in it when. ``fillers`` are the hesitations among ``parts``."""

    path: Path
    parts: tuple[SpokenSentence, ...]
    fillers: tuple[SpokenSentence, ...]
    duration: float

    @property
    def sentences(self) -> tuple[SpokenSentence, ...]:
        return tuple(part for part in self.parts if part not in self.fillers)

    @property
    def text(self) -> str:
        """Everything said, without the hesitations."""
        return " ".join(sentence.text for sentence in self.sentences)


def spoken_clip(
    sentences: Sequence[str] = TALK,
    pauses: Sequence[float] | float = 0.8,
    *,
    fillers: Mapping[int, str] | None = None,
    lead: float = 0.5,
    filler_pause: float = 0.25,
) -> SpokenClip:
    """Speech with known places. ``pauses`` follow each sentence (seconds); ``fillers`` maps the index of a sentence to
    a hesitation ("Um,") spoken before it, with ``filler_pause`` between."""
    each = list(pauses) if isinstance(pauses, Sequence) else [pauses] * len(sentences)
    said: list[tuple[str, float, bool]] = []
    for index, (sentence, pause) in enumerate(zip(sentences, each, strict=True)):
        if fillers and index in fillers:
            said.append((fillers[index], filler_pause, True))
        said.append((sentence, pause, False))

    def make(folder: Path) -> list[SpokenSentence]:
        return piper.synthesize(
            [text for text, _, _ in said], [pause for _, pause, _ in said], folder / "speech.wav", lead=lead
        )

    folder, parts = _made("speech", (said, lead), make)
    path = folder / "speech.wav"
    duration = soundfile.info(path).duration
    spoken = tuple(parts)
    return SpokenClip(
        path, spoken, tuple(part for part, (_, _, filler) in zip(spoken, said, strict=True) if filler), duration
    )


@dataclass(frozen=True)
class TalkingVideo:
    """An H.264 and AAC file of somebody talking, with the face's place at each moment and the shots' bounds."""

    path: Path
    speech: SpokenClip
    scenes: tuple[Scene, ...]
    size: tuple[int, int]
    fps: int
    duration: float

    def scene_at(self, second: float) -> Scene:
        return next(scene for scene in self.scenes if second < scene.end or scene is self.scenes[-1])

    def face_centre(self, second: float) -> tuple[float, float]:
        """Middle of the face as fractions of width and height."""
        scene = self.scene_at(second)
        return scene.face_x(second), scene.face_y(self.size[1])


def talking_video(
    speech: SpokenClip | None = None,
    *,
    scenes: Sequence[Scene] | None = None,
    size: tuple[int, int] = (1280, 720),
    fps: int = 30,
    noise: int = 0,
) -> TalkingVideo:
    """Somebody says ``speech``. Without ``scenes`` there are two shots: in the first the face moves from a quarter to
    three quarters of the width, in the second it stands still at 0.35. It lasts a whole number of frames."""
    speech = speech or spoken_clip()
    duration = int(speech.duration * fps) / fps
    if scenes is None:
        half = round(duration / 2 * fps) / fps
        tall = round(size[1] * 0.36)
        scenes = (
            Scene(0.0, half, 0, ((0.0, 0.25), (half * 0.2, 0.25), (half * 0.9, 0.75)), tall),
            Scene(half, duration, 1, ((half, 0.35),), tall),
        )
    shots = tuple(scenes)

    def make(folder: Path) -> None:
        moving_picture.compose(folder, speech.path, shots, folder / "talk.mp4", size=size, fps=fps, noise=noise)

    folder, _ = _made("talk", (speech.path.parent.name, shots, size, fps, noise), make)
    return TalkingVideo(folder / "talk.mp4", speech, shots, size, fps, shots[-1].end)


def face_picture(height: int = 300) -> Any:
    """The drawn presenter as an RGBA picture (PIL), the face ``height`` pixels tall."""
    return presenter.draw(height)


@dataclass(frozen=True)
class MusicClip:
    """A stereo WAV of 48 kHz and its truth: beats and downbeats in seconds, chords as (start, end, pitch classes)."""

    path: Path
    bpm: float
    key: str
    beats_per_bar: int
    beats: tuple[float, ...]
    downbeats: tuple[float, ...]
    chords: tuple[tuple[float, float, tuple[int, ...]], ...]
    duration: float


def music_clip(
    *,
    bpm: float = 120.0,
    key: str = "C:maj",
    bars: int = 8,
    beats_per_bar: int = 4,
    degrees: Sequence[int] = (1, 6, 4, 5),
    drums: bool = True,
) -> MusicClip:
    """Piano chords, a bass and (unless ``drums`` is false) drums: one chord a bar on the ``degrees`` of ``key``."""
    chords: list[Note] = []
    bass: list[Note] = []
    kit: list[Note] = []
    truth = []
    beat = 60.0 / bpm
    for bar in range(bars):
        start = float(bar * beats_per_bar)
        classes = degree_chord(key, degrees[bar % len(degrees)])
        truth.append((start * beat, (start + beats_per_bar) * beat, tuple(classes)))
        for step in range(beats_per_bar):
            chords += [Note(start + step, 0.9, 60 + pitch, 84 if step else 96) for pitch in classes]
            bass.append(Note(start + step, 0.9, 36 + (classes[2 if step == beats_per_bar - 1 else 0]), 96))
            kit += [Note(start + step + half, 0.2, 42, 60) for half in (0.0, 0.5)]
            kit.append(Note(start + step, 0.2, 36 if step % 2 == 0 and (step == 0 or beats_per_bar == 4) else 38, 105))
    parts = [Part("piano", 0, tuple(chords)), Part("bass", 33, tuple(bass), gain_db=-2.0)]
    if drums:
        parts.append(Part("drums", DRUMS, tuple(kit), gain_db=-3.0))
    score = Score(bpm, key, beats_per_bar, bars, tuple(parts))

    def make(folder: Path) -> None:
        sound = soundfont.render(score, tail_seconds=1.0)
        soundfile.write(folder / "music.wav", sound / np.max(np.abs(sound)) * 0.8, soundfont.RATE, subtype="PCM_16")

    folder, _ = _made("music", score, make)
    beats = tuple(index * beat for index in range(score.beats))
    return MusicClip(
        folder / "music.wav", bpm, key, beats_per_bar, beats, beats[::beats_per_bar], tuple(truth), score.seconds + 1.0
    )


def silent_video(*, seconds: float = 3.0, size: tuple[int, int] = (640, 360), fps: int = 30) -> Path:
    """A moving test picture without any sound."""

    def make(folder: Path) -> None:
        run_ffmpeg(
            ["-f", "lavfi", "-i", f"testsrc2=size={size[0]}x{size[1]}:rate={fps}:duration={seconds}", "-c:v", "libx264",
             "-preset", "ultrafast", "-pix_fmt", "yuv420p", output_argument(folder / "silent.mp4")]
        )  # fmt: skip

    return _made("silent", (seconds, size, fps), make)[0] / "silent.mp4"


def _made(name: str, recipe: object, make: Callable[[Path], T]) -> tuple[Path, T]:
    """The folder of a clip and what its maker returned, made at most once per machine and recipe."""
    import pickle

    digest = hashlib.sha256(f"{_makers()} {recipe!r}".encode()).hexdigest()[:24]
    folder = _store() / f"{name}-{digest}"
    truth = folder / "truth.pickle"
    if not truth.is_file():
        fresh = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=_store()))
        made = make(fresh)
        (fresh / "truth.pickle").write_bytes(pickle.dumps(made))
        try:
            fresh.rename(folder)
        except OSError:  # another process was faster with the same clip
            shutil.rmtree(fresh)
    loaded: T = pickle.loads(truth.read_bytes())
    return folder, loaded


@cache
def _makers() -> str:
    """Hash of the code the clips come from: a changed maker makes new clips."""
    modules = (piper, soundfont, moving_picture, presenter)
    sources = [Path(str(module.__file__)) for module in modules] + [Path(__file__)]
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()


@cache
def _store() -> Path:
    folder = Path(tempfile.gettempdir()) / f"creator-studio-test-media-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to somebody else")
    return folder
