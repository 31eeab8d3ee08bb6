"""Tempo, beats, metre, key and chords against forty-six rendered pieces whose truth is known."""

from __future__ import annotations

import resource
from collections import defaultdict
from collections.abc import Sequence
from statistics import mean
from typing import Any

import numpy as np

from core.music.keys import split_chord
from core.music.score import parse_key
from providers.audio.analysis import analyze
from tests.benchmark.songs import FormedSong, Song, formed_songs, songs

TITLE = "Music analysis"
TASKS = ("tempo", "beats", "key", "chords")
KINDS = ("band", "chorale", "tune", "piece")
MEASURES = ("tempo", "octave", "beat F", "downbeat F", "metre", "key", "key exact", "chords")
# As mir_eval has them: beats within 70 ms, the first five seconds not counted; tempo within 4 per cent.
BEAT_SECONDS, SKIPPED_SECONDS, TEMPO_PART = 0.07, 5.0, 0.04


def f_measure(truth: Sequence[float], found: Sequence[float]) -> float:
    """F of beats, each matched at most once."""
    wanted = [time for time in truth if time >= SKIPPED_SECONDS]
    given = [time for time in found if time >= SKIPPED_SECONDS]
    free, hits = set(range(len(given))), 0
    for time in wanted:
        near = [(abs(given[at] - time), at) for at in free if abs(given[at] - time) <= BEAT_SECONDS]
        if near:
            hits += 1
            free.remove(min(near)[1])
    return 2 * hits / (len(wanted) + len(given)) if wanted and given else 0.0


def key_score(truth: str, found: str | None) -> float:
    """MIREX's weights: a fifth off 0.5, the relative 0.3, the parallel 0.2."""
    if found is None:
        return 0.0
    (tonic, mode), (other, other_mode) = parse_key(truth), parse_key(found)
    off = (other - tonic) % 12
    if mode == other_mode:
        return {0: 1.0, 5: 0.5, 7: 0.5}.get(off, 0.0)
    return 0.3 if off == (9 if mode == "maj" else 3) else 0.2 if off == 0 else 0.0


def chords_right(song: Song, found: Sequence[dict[str, Any]]) -> float:
    """Share of time with the right root and third."""
    hits = total = 0
    for start, end, root, third in song.chords:
        for time in np.arange(start + 0.05, end, 0.1):
            total += 1
            name = next((row["chord"] for row in found if row["time"] <= time < row["end"]), "N")
            if name != "N":
                base, suffix = split_chord(name)
                hits += base == root and (3 if suffix == "m" else 4) == third
    return hits / total


def measured(song: Song) -> dict[str, float]:
    """The measures of one piece; those whose truth is not known are missing."""
    found = analyze(song.path, TASKS)
    near = [
        found["bpm"] and abs(found["bpm"] / (song.bpm * times) - 1) <= TEMPO_PART for times in (1, 2, 3, 1 / 2, 1 / 3)
    ]
    key = key_score(song.key, found["key"])
    rows = {
        "tempo": float(bool(near[0])),
        "octave": float(any(near)),
        "beat F": f_measure(song.beats, found["beats"]),
        "downbeat F": f_measure(song.downbeats, found["downbeats"]),
        "key": key,
        "key exact": float(key == 1.0),
    }
    if song.beats_per_bar > 1:
        rows["metre"] = float(found["time_signature"] == f"{song.beats_per_bar}/4")
    if song.chords:
        rows["chords"] = chords_right(song, found["chords"])
    return rows


def form_measured(song: FormedSong) -> tuple[float, float]:
    """F of the places where sections begin (within a bar), and F of pairs of seconds in alike sections."""
    found = analyze(song.path, ("sections",))["sections"]
    wanted, given = [start for start, _, _ in song.sections[1:]], [one["start"] for one in found[1:]]
    hits = sum(any(abs(start - other) <= song.bar_seconds for other in given) for start in wanted)
    bounds = 2 * hits / (len(wanted) + len(given))
    seconds = np.arange(0.5, song.sections[-1][1], 1.0)
    truth = [next(letter for start, end, letter in song.sections if start <= at < end) for at in seconds]
    heard = [next((one["label"] for one in found if one["start"] <= at < one["end"]), "") for at in seconds]
    pairs = [(a, b) for a in range(len(seconds)) for b in range(a)]
    alike = sum(truth[a] == truth[b] for a, b in pairs)
    said = sum(heard[a] == heard[b] for a, b in pairs)
    both = sum(truth[a] == truth[b] and heard[a] == heard[b] for a, b in pairs)
    return bounds, 2 * both / (alike + said)


def run(quick: bool) -> str:
    results: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    before, seconds, count = _cpu(), 0.0, 0
    for song in songs(few=quick):
        count, seconds = count + 1, seconds + song.beats[-1]
        for name, value in measured(song).items():
            for kind in (song.kind, "all"):
                results[kind][name].append(value)
    spent = (_cpu() - before) / seconds
    lines = [
        f"{count} pieces, {seconds / 60:.0f} minutes, rendered from scores by a General MIDI soundfont; on records "
        "every method does worse. Beats within 70 ms, tempo within 4 %, keys by MIREX's weights, chords by root and "
        "third.",
        "",
        f"| | {' | '.join(MEASURES)} |",
        f"|---|{'---|' * len(MEASURES)}",
    ]
    for kind in ("all", *KINDS):
        cells = [f"{mean(results[kind][name]):.2f}" if results[kind].get(name) else "" for name in MEASURES]
        lines.append(f"| {kind} | {' | '.join(cells)} |")
    forms = [form_measured(song) for song in formed_songs(few=quick)]
    return "\n".join(
        [
            *lines,
            "",
            f"{spent:.2f} CPU s for each second of music.",
            "",
            f"Form, {len(forms)} songs of the built-in composer in other forms, keys and tempos than its own: sections "
            f"begin within a bar F {mean(one[0] for one in forms):.2f}, alike sections F "
            f"{mean(one[1] for one in forms):.2f}. How well it does on records is not known.",
        ]
    )


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
