"""Sound as numbers: cuts on frame edges, music that makes way for speech, a limiter. No file is opened here.

All signals are float32 of shape (samples, 2) at 48 kHz. Cutting happens here and not in FFmpeg's ``aselect`` because
that drops whole blocks of about a thousand samples: after two hundred cuts sound and picture would no longer agree.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 48_000
CHANNELS = 2
FADE_SAMPLES = 384
HOP = 480
RAW = ("-f", "f32le", "-ar", str(SAMPLE_RATE), "-ch_layout", "stereo")
_BRIDGE = 101  # hops of 10 ms: in a shorter pause the music would swell and be pushed down at once

Signal = NDArray[np.float32]


def to_stereo(channels: int) -> str:
    """The FFmpeg filter that makes any sound stereo. Its own mixing would take 3 dB from a mono recording."""
    return "pan=stereo|c0=c0|c1=c0" if channels == 1 else "aformat=channel_layouts=stereo"


@dataclass(frozen=True)
class Cut:
    """``length`` samples of the source from ``source``; faded in and out where the sound is not continuous."""

    source: int
    length: int
    fade_in: bool
    fade_out: bool


def sample_at(frame: int, rate: Fraction) -> int:
    """The first sample of a frame."""
    return round(frame * SAMPLE_RATE / rate)


def plan_cuts(ranges: Sequence[tuple[int, int]], rate: Fraction, total_frames: int) -> list[Cut]:
    """One cut for each kept range of frames. Lengths come from frame edges of the *result*: no drift adds up."""
    cuts = []
    position = 0
    for start, end in ranges:
        length = sample_at(position + end - start, rate) - sample_at(position, rate)
        cuts.append(Cut(sample_at(start, rate), length, start > 0, end < total_frames))
        position += end - start
    return cuts


def repeated(music: Signal, start: int, count: int, overlap: int) -> Signal:
    """Samples ``start`` … ``start + count`` of a track that is played over and over; silence if the track is empty.

    Its last ``overlap`` samples sound together with its first ones (equal-power cross-fade); 0 joins end to beginning.
    """
    period = len(music) - overlap
    if period <= 0:
        return np.zeros((count, CHANNELS), dtype=np.float32)
    places = np.arange(start, start + count)
    inside = places % period
    sound = music[inside]
    joint = (places >= period) & (inside < overlap)
    if joint.any():
        phase = (inside[joint, None] + 0.5) / overlap * (np.pi / 2)
        sound[joint] = sound[joint] * np.sin(phase) + music[period + inside[joint]] * np.cos(phase)
    return sound.astype(np.float32, copy=False)


class CutWriter:
    """Takes the source's sound in order and writes what the cuts keep.

    ``begin(sample)`` says where in the source the next bytes of ``feed`` (interleaved float32) are; ``finish(count)``
    ends the first ``count`` cuts, with silence where the source had none.
    """

    def __init__(self, cuts: Sequence[Cut], write: Callable[[bytes], object]) -> None:
        self._cuts = cuts
        self._write = write
        self._index = 0
        self._done = 0
        self._position = 0
        self._rest = b""

    def begin(self, sample: int) -> None:
        self._position = sample
        self._rest = b""

    def feed(self, data: bytes) -> None:
        data = self._rest + data
        whole = len(data) // (4 * CHANNELS) * (4 * CHANNELS)
        self._rest = data[whole:]
        block = np.frombuffer(data[:whole], dtype="<f4").reshape(-1, CHANNELS)
        end = self._position + len(block)
        while self._index < len(self._cuts):
            cut = self._cuts[self._index]
            wanted = cut.source + self._done
            if wanted < self._position:
                self._silence(min(self._position - wanted, cut.length - self._done))
                wanted = cut.source + self._done
            take = min(cut.source + cut.length, end) - wanted
            if take > 0:
                first = wanted - self._position
                self._put(cut, block[first : first + take])
            if self._done < cut.length:
                break
            self._next()
        self._position = end

    def finish(self, count: int) -> None:
        while self._index < count:
            self._silence(self._cuts[self._index].length - self._done)
            self._next()

    def _put(self, cut: Cut, block: Signal) -> None:
        fade = min(FADE_SAMPLES, cut.length // 2)
        at = self._done
        self._done += len(block)
        if (cut.fade_in and at < fade) or (cut.fade_out and self._done > cut.length - fade):
            place = np.arange(at, self._done, dtype=np.float32)
            gain = np.ones(len(block), dtype=np.float32)
            if cut.fade_in:
                gain *= raised(place + 0.5, fade)
            if cut.fade_out:
                gain *= raised(cut.length - place - 0.5, fade)
            block = block * gain[:, None]
        self._write(block.astype("<f4", copy=False).tobytes())

    def _silence(self, count: int) -> None:
        self._done += count
        while count > 0:
            part = min(count, SAMPLE_RATE)
            self._write(bytes(part * 4 * CHANNELS))
            count -= part

    def _next(self) -> None:
        self._index += 1
        self._done = 0


def raised(place: NDArray[np.float32], length: int) -> NDArray[np.float32]:
    """A raised cosine from 0 to 1 over ``length`` samples."""
    if length <= 0:
        return np.ones_like(place)
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.clip(place / length, 0, 1)), dtype=np.float32)


def level_db(signal: Signal, hop: int = HOP) -> NDArray[np.float32]:
    """Level of each ``hop`` samples in dB of full scale (RMS over both channels; -120 is silence)."""
    whole = len(signal) // hop * hop
    levels = np.full(-(-len(signal) // hop), 1e-12, dtype=np.float64)
    step = hop * 4096
    for start in range(0, whole, step):
        block = np.asarray(signal[start : min(start + step, whole)], dtype=np.float32)
        power = np.einsum("ij,ij->i", block, block) / CHANNELS
        levels[start // hop : start // hop + len(power) // hop] += power.reshape(-1, hop).mean(axis=1)
    if whole < len(signal):
        levels[-1] += float(np.mean(np.square(np.asarray(signal[whole:], dtype=np.float64))))
    return np.asarray(10 * np.log10(levels), dtype=np.float32)


def duck_curve(voice_db: NDArray[np.float32], duck_db: float) -> NDArray[np.float32]:
    """Gain in dB (0 to ``-duck_db``) for the music at each hop of 10 ms, keyed by the voice's level.

    Speech is what lies less than 24 dB under the voice's loud parts. The music is down 150 ms before a word, stays
    down through pauses of up to a second and comes back over 600 ms: no pumping between words or sentences.
    """
    import scipy.ndimage as ndimage

    loud = float(np.percentile(voice_db, 95)) if len(voice_db) else -120.0
    if loud < -60 or duck_db <= 0:
        return np.zeros(len(voice_db), dtype=np.float32)
    speaking = voice_db > max(loud - 24, -60)
    speaking = ndimage.binary_closing(np.pad(speaking, _BRIDGE), np.ones(_BRIDGE))[_BRIDGE:-_BRIDGE]
    speaking = ndimage.binary_dilation(speaking, np.ones(31))
    down = np.where(speaking, -duck_db, 0.0)
    fall, rise = duck_db / 15, duck_db / 60
    curve = np.empty(len(down), dtype=np.float32)
    now = 0.0
    for index in range(len(down) - 1, -1, -1):  # backwards in time: the fall ends where the word begins
        now = min(float(down[index]), now + fall)
        curve[index] = now
    now = 0.0
    for index in range(len(curve)):
        now = min(float(curve[index]), now + rise)
        curve[index] = now
    return curve


def gain_at(curve_db: NDArray[np.float32], start: int, count: int) -> NDArray[np.float32]:
    """The curve (one value a hop, at its middle) as linear gain for ``count`` samples from ``start``."""
    place = (np.arange(start, start + count, dtype=np.float64) + 0.5) / HOP - 0.5
    return np.asarray(10 ** (np.interp(place, np.arange(len(curve_db)), curve_db) / 20), dtype=np.float32)


_HOLD = 480
_LIMIT_BLOCK = SAMPLE_RATE * 10
_MARGIN = 4 * _HOLD


def true_peaks(signal: Signal, write: Callable[[bytes], object]) -> None:
    """Write the true peak around each sample (float32, the louder channel): the signal at four times its rate
    (ITU-R BS.1770 annex 2). It is the costly part of a limiter and is the same at every gain."""
    from scipy.signal import resample_poly

    for start in range(0, len(signal), _LIMIT_BLOCK):
        first, last = max(start - _MARGIN, 0), min(start + _LIMIT_BLOCK + _MARGIN, len(signal))
        part = np.asarray(signal[first:last], dtype=np.float32)
        # Column by column: a maximum over an axis of two or four values costs numpy ten times as much.
        fine = _taller(resample_poly(part, 4, 1, axis=0))
        over = np.maximum(np.maximum(fine[0::4], fine[1::4]), np.maximum(fine[2::4], fine[3::4]))
        # The taller of two neighbours: a peak between samples belongs to both.
        peak = np.maximum(np.maximum(over, _taller(part)), np.append(0, over[:-1]))
        write(peak[start - first : min(start + _LIMIT_BLOCK, last) - first].astype("<f4", copy=False).tobytes())


def limit(
    signal: Signal, peaks: NDArray[np.float32], gain: float, ceiling: float, write: Callable[[bytes], object]
) -> None:
    """Write ``signal * gain`` with its true peak at most ``ceiling`` (linear); ``peaks`` are its :func:`true_peaks`.

    A look-ahead limiter: the gain needed is held over 10 ms around a peak and smoothed twice, which never lets it rise
    above what is needed.
    """
    for start in range(0, len(signal), _LIMIT_BLOCK):
        first, last = max(start - _MARGIN, 0), min(start + _LIMIT_BLOCK + _MARGIN, len(signal))
        end = min(start + _LIMIT_BLOCK, last)
        wanted = np.asarray(signal[start:end], dtype=np.float32) * np.float32(gain)
        around = peaks[first:last] * np.float32(gain)
        if float(np.max(around, initial=0.0)) > ceiling:
            wanted = wanted * _reduction(around, ceiling)[start - first : end - first, None]
        write(wanted.astype("<f4", copy=False).tobytes())


def _reduction(peak: NDArray[np.float32], ceiling: float) -> NDArray[np.float32]:
    import scipy.ndimage as ndimage

    needed = np.minimum(1.0, ceiling / np.maximum(peak, 1e-9))
    held: Any = ndimage.minimum_filter1d(needed, 2 * _HOLD + 1, mode="nearest")
    smooth = ndimage.uniform_filter1d(ndimage.uniform_filter1d(held, _HOLD, mode="nearest"), _HOLD, mode="nearest")
    return np.asarray(np.minimum(smooth, needed), dtype=np.float32)


def _taller(signal: Signal) -> NDArray[np.float32]:
    """The larger of the two channels' magnitudes at each sample."""
    return np.maximum(np.abs(signal[:, 0]), np.abs(signal[:, 1]))
