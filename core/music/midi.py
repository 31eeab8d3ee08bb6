"""Scores as Standard MIDI Files, format 1 (MIDI Manufacturers Association, "Standard MIDI Files 1.0", 1996)."""

from __future__ import annotations

import struct

from core.music.score import DRUMS, Part, Score, parse_key

TICKS = 480
"""Ticks of a quarter."""
_DRUM_CHANNEL = 9
_VOLUME, _PAN = 7, 10
# Sharps (flats are negative) of the major key on each pitch class; a minor key has those of its relative.
_SIGNATURES = (0, -5, 2, -3, 4, -1, 6, 1, -4, 3, -2, 5)
_METRES = {"4/4": (4, 2), "3/4": (3, 2), "2/4": (2, 2), "6/8": (6, 3)}


def as_midi(score: Score, metre: str, title: str = "") -> bytes:
    """The file: one track with tempo, metre and key, then one for each part, on General MIDI programs. A beat of 6/8 is
    a dotted quarter."""
    quarters = 1.5 if metre == "6/8" else 1.0
    tonic, mode = parse_key(score.key)
    numerator, power = _METRES[metre]
    sharps = _SIGNATURES[tonic if mode == "maj" else (tonic + 3) % 12]
    first = [
        (0, _meta(0x03, title.encode()[:120])),
        (0, _meta(0x51, round(60e6 / (score.bpm * quarters)).to_bytes(3, "big"))),
        (0, _meta(0x58, bytes((numerator, power, 36 if metre == "6/8" else 24, 8)))),
        (0, _meta(0x59, struct.pack("bB", sharps, mode == "min"))),
    ]
    channels = [channel for channel in range(16) if channel != _DRUM_CHANNEL]
    tracks = [_track(first)]
    pitched = 0
    for part in score.parts:
        channel = _DRUM_CHANNEL
        if part.program != DRUMS:
            channel, pitched = channels[pitched % len(channels)], pitched + 1
        tracks.append(_track(_events(part, channel, TICKS * quarters)))
    return b"MThd" + struct.pack(">IHHH", 6, 1, len(tracks), TICKS) + b"".join(tracks)


def _events(part: Part, channel: int, ticks: float) -> list[tuple[int, bytes]]:
    # The synthesiser's loudness goes with the square of the controller (General MIDI level 1).
    volume = min(127, round(100 * 10 ** (part.gain_db / 40)))
    start = [
        _meta(0x03, part.name.replace("_", " ").encode()),
        bytes((0xB0 | channel, _VOLUME, volume)),
        bytes((0xB0 | channel, _PAN, round(64 + 63 * part.pan))),
    ]
    if part.program != DRUMS:
        start.insert(1, bytes((0xC0 | channel, part.program)))
    timed = []
    for note in part.notes:
        begin = round(note.start * ticks)
        end = max(begin + 1, round((note.start + note.length) * ticks))
        timed += [(begin, 1, bytes((0x90 | channel, note.pitch, note.velocity)))]
        timed += [(end, 0, bytes((0x80 | channel, note.pitch, 0)))]
    # At one instant notes end before others begin.
    return [(0, one) for one in start] + [(at, event) for at, _, event in sorted(timed)]


def _meta(kind: int, data: bytes) -> bytes:
    return bytes((0xFF, kind)) + _variable(len(data)) + data


def _track(events: list[tuple[int, bytes]]) -> bytes:
    body, before = bytearray(), 0
    for at, event in events:
        body += _variable(at - before) + event
        before = at
    body += _variable(0) + _meta(0x2F, b"")
    return b"MTrk" + struct.pack(">I", len(body)) + bytes(body)


def _variable(value: int) -> bytes:
    """A variable-length quantity: seven bits a byte, the last with its top bit clear."""
    found = [value & 0x7F]
    while value := value >> 7:
        found.append(0x80 | (value & 0x7F))
    return bytes(reversed(found))
