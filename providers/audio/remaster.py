"""A sound remastered: each operation reads what the one before left and writes it anew, block by block (SPEC M5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import UnsupportedMedia
from core.music import remaster as decisions
from core.music import spectrum
from core.music.remaster_payloads import Dereverb, Equalize, Match, ReduceNoise, RemasterOperation, Stereo
from core.progress import Progress, no_progress, part
from providers.audio import frames, image, raw, suppress, tone
from providers.audio.decode import STUDIO_RATE
from providers.audio.mastering import master
from providers.audio.meter import loudness
from providers.video.process import output_argument, run_ffmpeg
from providers.video.sound_edit import RAW, Signal
from providers.video.soundtrack import Loudness

_SHARES = (0.05, 0.6)


@dataclass(frozen=True)
class Remastered:
    """The new 48 kHz 24-bit WAV, loudness before and after, and the room's decay time where it was looked for."""

    path: Path
    duration_seconds: float
    before_lufs: float | None
    after: Loudness
    decay_seconds: float | None


def remaster(
    source: Path,
    operations: Sequence[RemasterOperation],
    folder: Path,
    *,
    reference: Path | None = None,
    duration_seconds: float = 0.0,
    progress: Progress = no_progress,
) -> Remastered:
    """Do ``operations`` on the first audio track of ``source``; the result is exactly as long.

    ``reference`` is the sound that ``match`` names.

    Raises:
        UnsupportedMedia: no sound, a damaged file, or a silent reference.
        JobCancelled: raised by ``progress``.
    """
    decoding = part(progress, 0.0, _SHARES[0])
    signal = raw.decode(source, folder / "source.f32", duration_seconds=duration_seconds, progress=decoding)
    before = loudness(signal)
    known = Reference(reference, folder, part(progress, *_SHARES)) if reference is not None else None
    decay: float | None = None
    steps = [one for one in decisions.in_order(operations) if one.type != "normalize"]
    at = folder / "source.f32"
    for index, operation in enumerate(steps):
        within = part(progress, _at(index / len(steps)), _at((index + 1) / len(steps)))
        if isinstance(operation, Dereverb):
            decay = suppress.decay_seconds(signal)
        made = folder / f"step-{index}.f32"
        signal = raw.write(
            made, worked(signal, operation, decay=decay, reference=known, progress=within), len(signal), within
        )
        at.unlink()
        at = made
    target = decisions.loudness_target(operations, known.lufs if known else None)
    done = master(
        signal, folder, target_lufs=target, ceiling_dbtp=decisions.true_peak(operations),
        finish=lambda path, within: as_wav(path, folder / "remaster.wav", within),
        progress=part(progress, _SHARES[1], 1.0),
    )  # fmt: skip
    seconds = len(signal) / STUDIO_RATE
    del signal
    at.unlink()
    return Remastered(done.path, seconds, before, done.loudness, decay)


class Reference:
    """Colour and loudness of the track to come nearer to."""

    def __init__(self, path: Path, folder: Path, progress: Progress) -> None:
        decoded = folder / "reference.f32"
        signal = raw.decode(path, decoded, progress=part(progress, 0, 0.1))
        self.lufs = loudness(signal)
        self.spectrum = tone.spectrum(signal)
        if self.lufs is None:
            raise UnsupportedMedia("The reference track is silent.", "Choose another one.")
        del signal
        decoded.unlink()


def worked(
    signal: Signal,
    operation: RemasterOperation,
    *,
    decay: float | None = None,
    reference: Reference | None = None,
    progress: Progress = no_progress,
) -> Iterator[Signal]:
    """What one operation makes of a signal, in blocks. ``decay`` is the room's for ``dereverb``, ``reference`` the
    track's for ``match``."""
    if isinstance(operation, ReduceNoise):
        return _denoised(signal, operation, progress)
    if isinstance(operation, Dereverb):
        if decay is None:
            return raw.blocks(signal)
        quieter = suppress.Suppressor(suppress.LateReverberation(decay), decisions.room_floor_db(operation))
        return frames.filtered(signal, suppress.ROOM_WINDOW, suppress.ROOM_HOP, quieter.gains, progress)
    if isinstance(operation, Match):
        assert reference is not None, "the job looks the reference up"
        added = spectrum.correction(tone.spectrum(signal), reference.spectrum, operation.amount)
        return tone.corrected(signal, added, progress)
    if isinstance(operation, Equalize):
        return raw.each(signal, tone.equalised(decisions.equalizer(operation.preset, operation.amount)))
    assert isinstance(operation, Stereo), "loudness comes last, in master()"
    if operation.mode == "mono":
        return raw.each(signal, image.mono)
    return raw.each(signal, image.widened(decisions.widening(image.side_ratio(signal), operation.amount)))


def _denoised(signal: Signal, order: ReduceNoise, progress: Progress = no_progress) -> Iterator[Signal]:
    """The signal with its steady noise turned down."""
    how = decisions.cleaning(order)
    noise = suppress.noise_of(signal, how)
    disturbance = suppress.Followed(noise) if how.follow else suppress.Steady(noise)
    quieter = suppress.Suppressor(disturbance, how.floor_db)
    return frames.filtered(signal, how.window, how.hop, quieter.gains, progress)


def as_wav(path: Path, target: Path, progress: Progress = no_progress) -> Path:
    """Raw float32 as the studio's own kind of WAV: 24 bits, RF64 past 4 GB."""
    run_ffmpeg(
        [*RAW, "-i", output_argument(path), "-c:a", "pcm_s24le", "-rf64", "auto", output_argument(target)],
        duration_seconds=path.stat().st_size / raw.BYTES_PER_SECOND, progress=progress, stage="stage.sound",
    )  # fmt: skip
    return target


def _at(fraction: float) -> float:
    """Where in the whole work a fraction of the operations lies."""
    return _SHARES[0] + (_SHARES[1] - _SHARES[0]) * fraction
