"""Speech to text with Whisper through faster-whisper: 8-bit, in batches of windows, words on the sound.

Windows are planned here: speech is packed into stretches of at most 28 s with the long pauses taken out (a window costs
the same however little is said in it), and word times are mapped back and moved onto the sound. A window whose text
looks broken (repeating itself, or guessed at) is read again alone with Whisper's fallback temperatures (arXiv
2212.04356, section 4.5).
"""

from __future__ import annotations

import os
import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from core import speech
from core.errors import InvalidInput, NotConfigured
from core.progress import Progress, no_progress, part
from core.video.sentences import sentences
from core.video.timeline import Word
from providers.speech.onsets import snap_words, sounding_spans
from providers.speech.pcm import RATE, Floats, Samples, as_floats, decode, level_db
from providers.speech.vad import SpeechSpan, blocks, faster_whisper

WINDOW_SECONDS = 28.0
BATCH = 4
BEAM = 5
# Around each stretch of speech this much of the pause is kept (seconds).
_PAD = 0.2
_SPLIT_SILENCE = 0.3
# Above these a window's text is not trusted (the thresholds of Whisper's own decoder).
_REPEATS, _GUESSED = 2.4, -1.0
# Words of the English model on another language are guesses: measured medians of 0.41 (German), 0.45 (Thai), 0.49
# (Spanish) and 0.60 (French) against 0.99 on English of the same voice.
_PLAUSIBLE = 0.7
_ENOUGH_WORDS = 8
# Languages written without spaces between words.
WITHOUT_SPACES = {"th", "lo", "my", "km", "zh", "yue", "ja"}


@dataclass(frozen=True)
class TranscriptSegment:
    """One sentence: seconds of the recording and its text."""

    start: float
    end: float
    text: str


@dataclass(frozen=True)
class Transcript:
    """What is said: the language (two letters), words with times and sentences made of them."""

    language: str
    words: tuple[Word, ...]
    segments: tuple[TranscriptSegment, ...]
    model: str

    @classmethod
    def of(cls, words: Sequence[Word], language: str, model: str) -> Transcript:
        """Words heard in ``language``, with their sentences."""
        parts = tuple(TranscriptSegment(each.start, each.end, each.text) for each in sentences(words))
        return cls(language, tuple(words), parts, model)

    @property
    def text(self) -> str:
        return " ".join(segment.text for segment in self.segments)


def transcribe(
    path: Path,
    *,
    language: str = "auto",
    model: str = "",
    folder: Path | None = None,
    progress: Progress = no_progress,
) -> Transcript:
    """The words spoken in a media file.

    Args:
        language: the spoken language ("en", "th"), or "auto" to have it found out. The English model cannot tell
            languages apart; with it "auto" means English, refused when the words are not plausible as English.
        model: a name of :data:`core.speech.CATALOGUE`; empty: the best one installed for the language.
        folder: where the decoded sound may lie meanwhile (32 kB a second); empty: the system's temporary folder.
        progress: told after each window; may raise to stop.

    Raises:
        NotConfigured: no installed model knows the language (setting "speech model").
        UnsupportedMedia: the file has no sound.
    """
    base = language.split("-")[0].lower()
    name = model or speech.choose(base)
    chosen, found = speech.model_of(name), speech.folder_of(name)
    if not chosen.multilingual and base not in ("en", "auto"):
        raise speech.unknown_language(language)
    if found is None:
        raise NotConfigured(
            f"The speech model {chosen.title} is not installed.", "Download it under Settings.", setting=speech.SETTING
        )
    with tempfile.TemporaryDirectory(prefix="speech-", dir=folder) as scratch:
        samples = decode(path, Path(scratch), progress=part(progress, 0.0, 0.05))
        engine = _engine(str(found))
        if base == "auto" and chosen.multilingual:
            base = _detect_language(engine, samples)
        spoken = "en" if base == "auto" else base
        check = _require_plausible if base == "auto" else None
        words = _words(engine, samples, spoken, part(progress, 0.05, 1.0), check)
    return Transcript.of(words, spoken, name)


@lru_cache(maxsize=1)
def _engine(folder: str) -> Any:
    threads = min(len(os.sched_getaffinity(0)), 8)
    return faster_whisper().WhisperModel(
        folder, device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True
    )


def _detect_language(engine: Any, samples: Samples) -> str:
    """The language of the first minutes with speech, asked window by window."""
    asked: dict[str, float] = {}
    for _, _, spans in blocks(samples, _SPLIT_SILENCE, _PAD):
        for window in plan_windows(spans)[:4]:
            _, _, probabilities = engine.detect_language(audio=_packed(samples, window), vad_filter=False)
            for name, probability in probabilities:
                asked[name] = asked.get(name, 0.0) + probability
        if asked:
            break
    return max(asked, key=lambda name: asked[name]) if asked else "en"


def _words(
    engine: Any, samples: Samples, language: str, progress: Progress, check: Callable[[Sequence[Word]], None] | None
) -> list[Word]:
    """``check`` sees the words of the first windows, and all in the end; it may raise."""
    levels = level_db(samples)
    found: list[Word] = []
    for first, end, spans in blocks(samples, _SPLIT_SILENCE, _PAD):
        windows = plan_windows(spans)
        span = part(progress, first / samples.size, end / samples.size)
        for start in range(0, len(windows), BATCH):
            span(start / len(windows), "stage.transcribe")
            fresh = len(found) < _ENOUGH_WORDS
            found += _read_windows(engine, samples, windows[start : start + BATCH], language)
            if check is not None and fresh:
                check(found)
    if check is not None:
        check(found)
    progress(1.0, "stage.transcribe")
    return snap_words(found, sounding_spans(levels))


def plan_windows(spans: Sequence[SpeechSpan], limit: float = WINDOW_SECONDS) -> list[list[SpeechSpan]]:
    """Consecutive speech packed into windows whose speech lasts at most ``limit`` seconds. A longer stretch is divided;
    windows are filled evenly, so that the last is not a scrap that the model has no context for."""
    pieces: list[SpeechSpan] = []
    for span in spans:
        count = max(int(np.ceil((span.end - span.start) / limit)), 1)
        edges = np.linspace(span.start, span.end, count + 1)
        pieces += [SpeechSpan(float(a), float(b)) for a, b in pairwise(edges)]
    total = sum(piece.end - piece.start for piece in pieces)
    if not pieces:
        return []
    target = total / np.ceil(total / limit)
    windows: list[list[SpeechSpan]] = []
    filled = 0.0
    for piece in pieces:
        length = piece.end - piece.start
        fits = bool(windows) and filled + length <= limit
        if fits and filled + length / 2 <= target:
            windows[-1].append(piece)
            filled += length
        else:
            windows.append([piece])
            filled = length
    return windows


def _packed(samples: Samples, window: Sequence[SpeechSpan]) -> Floats:
    return as_floats(np.concatenate([samples[round(s.start * RATE) : round(s.end * RATE)] for s in window]))


def original_time(window: Sequence[SpeechSpan], second: float, *, is_end: bool = False) -> float:
    """The recording's second for a second of the packed window; at a seam an end belongs before it, a start after."""
    passed = 0.0
    for index, span in enumerate(window):
        length = span.end - span.start
        inside = second <= passed + length if is_end else second < passed + length
        if inside or index == len(window) - 1:
            return min(span.start + max(second - passed, 0.0), span.end)
        passed += length
    raise InvalidInput("An empty window has no time.")


def _read_windows(engine: Any, samples: Samples, windows: Sequence[Sequence[SpeechSpan]], language: str) -> list[Word]:
    packed = [_packed(samples, window) for window in windows]
    offsets = np.concatenate(([0], np.cumsum([sound.size for sound in packed]))) / RATE
    clips = [{"start": float(a), "end": float(b)} for a, b in pairwise(offsets)]
    pipeline = faster_whisper().BatchedInferencePipeline(model=engine)
    read, _ = pipeline.transcribe(
        np.concatenate(packed),
        language=language,
        clip_timestamps=clips,
        batch_size=BATCH,
        beam_size=BEAM,
        word_timestamps=True,
        without_timestamps=True,
    )
    segments: list[list[Any]] = [[] for _ in windows]
    for segment in read:
        index = int(np.searchsorted(offsets, segment.seek / 100 + 0.02, side="right")) - 1
        segments[min(max(index, 0), len(windows) - 1)].append(segment)
    words: list[Word] = []
    for window, sound, offset, heard in zip(windows, packed, offsets[:-1], segments, strict=True):
        if any(each.compression_ratio > _REPEATS or each.avg_logprob < _GUESSED for each in heard) or not heard:
            heard = list(engine.transcribe(sound, language=language, beam_size=BEAM, word_timestamps=True)[0])
            offset = 0.0
        words += _placed(heard, window, float(offset), spaced=language not in WITHOUT_SPACES)
    return words


def _placed(heard: Sequence[Any], window: Sequence[SpeechSpan], offset: float, *, spaced: bool) -> list[Word]:
    """The window's words at their place in the recording; what belongs to one word ("$1" and ",300") becomes one."""
    placed: list[Word] = []
    for segment in heard:
        for index, each in enumerate(segment.words or ()):
            text = each.word.strip()
            end = round(original_time(window, each.end - offset, is_end=True), 3)
            if text and spaced and index and placed and not each.word.startswith(" "):
                placed[-1] = placed[-1].model_copy(update={"word": placed[-1].word + text, "end": end})
            elif text:
                start = round(original_time(window, each.start - offset), 3)
                placed.append(Word(word=text, start=start, end=end, probability=round(float(each.probability), 4)))
    return placed


def _require_plausible(words: Sequence[Word]) -> None:
    """Refuse to pass off as English what the English model only guessed at."""
    if len(words) >= _ENOUGH_WORDS and statistics.median(word.probability for word in words) < _PLAUSIBLE:
        raise NotConfigured(
            "This does not sound like English, and the speech model on this machine knows English only.",
            "Choose the spoken language. Another one needs a multilingual model, to be downloaded under Settings.",
            setting=speech.SETTING,
        )
