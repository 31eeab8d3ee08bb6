"""The sound of an episode: voices cleaned, cut and brought to one level, music that makes way for them, one mix."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.music import podcast as decisions
from core.music import remaster as colours
from core.music.podcast import Placed, Span
from core.music.podcast_payloads import PodcastOperation
from core.music.remaster_payloads import Dereverb, Equalize, ReduceNoise
from core.progress import Progress, no_progress, part
from providers.audio import image, raw, suppress
from providers.audio.decode import STUDIO_RATE
from providers.audio.remaster import worked
from providers.video.sound_edit import CHANNELS, FADE_SAMPLES, Signal, duck_curve, gain_at, level_db, raised, repeated

_REPEAT_OVERLAP = 2.0


@dataclass(frozen=True)
class Part:
    """A prepared track: its raw sound, where it stands, its loudness in LUFS (None: silent), and its level in dB
    relative to the voices. ``music`` makes way for what is spoken."""

    path: Path
    placed: Placed
    lufs: float | None
    gain_db: float
    music: bool


def clean(signal: Signal, operations: Sequence[PodcastOperation], folder: Path, progress: Progress) -> Signal:
    """A voice without its noise and room, in its colour; as it is where nothing of that was asked."""
    found = signal
    asked = [one for one in operations if isinstance(one, ReduceNoise | Dereverb | Equalize)]
    for index, one in enumerate(colours.in_order(asked)):
        within = part(progress, index / len(asked), (index + 1) / len(asked))
        decay = suppress.decay_seconds(found) if isinstance(one, Dereverb) else None
        pieces = worked(found, one, decay=decay, progress=within)
        found = raw.write(folder / f"clean-{index}.f32", pieces, len(found), within)
        if index:
            (folder / f"clean-{index - 1}.f32").unlink()
    return found


def cut(signal: Signal, spans: Sequence[Span], target: Path) -> Signal:
    """What stays of a sound, one span after another, each faded over 8 ms where it does not go on."""

    def pieces() -> Iterator[Signal]:
        for start, end in spans:
            first, last = round(start * STUDIO_RATE), min(round(end * STUDIO_RATE), len(signal))
            for at in range(first, last, raw.BLOCK):
                stop = min(at + raw.BLOCK, last)
                place = np.arange(at, stop, dtype=np.float32)
                gain = np.ones(len(place), dtype=np.float32)
                fade = min(FADE_SAMPLES, (last - first) // 2)
                if first > 0:
                    gain *= raised(place - first + 0.5, fade)
                if last < len(signal):
                    gain *= raised(last - place - 0.5, fade)
                yield np.array(signal[at:stop]) * gain[:, None]

    return raw.write(target, pieces(), len(signal))


def assemble(
    parts: Sequence[Part], duck_db: float, folder: Path, *, mono: bool = False, progress: Progress = no_progress
) -> Signal:
    """All parts at their places and levels, as ``mixed.f32``; as long as the part that ends last."""
    total = round(max(one.placed.end for one in parts) * STUDIO_RATE)
    paths = {True: folder / "music.f32", False: folder / "voices.f32"}
    buses = {music: np.memmap(path, dtype="<f4", mode="w+", shape=(total, CHANNELS)) for music, path in paths.items()}
    for index, one in enumerate(parts):
        _lay(buses[one.music], one)
        progress(0.6 * (index + 1) / len(parts), "stage.sound")
    curve = duck_curve(level_db(buses[False]), duck_db)

    def mixed() -> Iterator[Signal]:
        for start in range(0, total, raw.BLOCK):
            stop = min(start + raw.BLOCK, total)
            music = buses[True][start:stop] * gain_at(curve, start, stop - start)[:, None]
            block = np.asarray(buses[False][start:stop] + music, dtype=np.float32)
            yield image.mono(block) if mono else block

    found = raw.write(folder / "mixed.f32", mixed(), total, part(progress, 0.6, 1.0))
    buses.clear()
    for path in paths.values():
        path.unlink()
    return found


def _lay(bus: Signal, one: Part) -> None:
    """Add a part to its bus."""
    signal = raw.view(one.path)
    first = round(one.placed.start * STUDIO_RATE)
    length = min(round(one.placed.length * STUDIO_RATE), len(bus) - first)
    if not one.placed.loops:
        length = min(length, len(signal))
    level = one.gain_db + (decisions.VOICE_LUFS - one.lufs if one.lufs is not None else 0.0)
    overlap = min(round(_REPEAT_OVERLAP * STUDIO_RATE), len(signal) // 4) if len(signal) < length else 0
    for at in range(0, length, raw.BLOCK):
        count = min(raw.BLOCK, length - at)
        block = repeated(signal, at, count, overlap) if one.placed.loops else np.array(signal[at : at + count])
        gain = _edges(np.arange(at, at + count, dtype=np.float32), length, one.placed) * np.float32(10 ** (level / 20))
        bus[first + at : first + at + count] += block * gain[:, None]


def _edges(place: NDArray[np.float32], length: int, placed: Placed) -> NDArray[np.float32]:
    """Fades in and out; two neighbours' raised cosines sum to one, so a cross-fade has no dip."""
    fade_in, fade_out = (round(seconds * STUDIO_RATE) for seconds in (placed.fade_in, placed.fade_out))
    gain = np.ones(len(place), dtype=np.float32)
    if fade_in:
        gain *= raised(place + 0.5, fade_in)
    if fade_out:
        gain *= raised(length - place - 0.5, fade_out)
    return gain
