"""Long-term spectra in third-octave bands, and how one is brought nearer to another (SPEC M5, match)."""

from __future__ import annotations

from collections.abc import Sequence

# Base-ten third octaves of IEC 61260-1, 25 Hz to 20 kHz: centres 10^(n/10), each reaching to 10^±(1/20) of it.
CENTRES = tuple(10 ** (n / 10) for n in range(14, 44))
EDGE = 10 ** (1 / 20)
LIMIT_DB = 9.0
_HEARD_DB = 55.0
_LEVEL_HERTZ = (100.0, 10_000.0)


def correction(source_db: Sequence[float], reference_db: Sequence[float], amount: float) -> list[float]:
    """dB to add in each band of :data:`CENTRES` so that the source's colour comes nearer to the reference's.

    Both spectra are band levels in dB. Loudness is left out: the mean difference between 100 Hz and 10 kHz counts as
    none. Bands where the source has next to nothing (rumble under a voice, what an encoder cut off) are left alone,
    since raising them would raise noise. At most :data:`LIMIT_DB` either way, and smoothed over neighbours.
    """
    heard = [level > max(source_db) - _HEARD_DB for level in source_db]
    inside = [
        reference - source
        for centre, source, reference, is_heard in zip(CENTRES, source_db, reference_db, heard, strict=True)
        if is_heard and _LEVEL_HERTZ[0] <= centre <= _LEVEL_HERTZ[1]
    ]
    level = sum(inside) / len(inside) if inside else 0.0
    wanted = [
        min(max(reference - source - level, -LIMIT_DB), LIMIT_DB) * amount if is_heard else 0.0
        for source, reference, is_heard in zip(source_db, reference_db, heard, strict=True)
    ]
    around = [wanted[0], *wanted, wanted[-1]]
    return [
        (before + 2 * here + after) / 4 for before, here, after in zip(around, around[1:], around[2:], strict=False)
    ]


def distance(one_db: Sequence[float], other_db: Sequence[float]) -> float:
    """How differently two sounds are coloured: mean absolute difference in dB from 100 Hz to 10 kHz, levels aside."""
    differences = [
        other - one
        for centre, one, other in zip(CENTRES, one_db, other_db, strict=True)
        if _LEVEL_HERTZ[0] <= centre <= _LEVEL_HERTZ[1]
    ]
    level = sum(differences) / len(differences)
    return sum(abs(difference - level) for difference in differences) / len(differences)
