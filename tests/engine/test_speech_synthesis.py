"""The voice says each sentence exactly where it says it does (SPEC M8)."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from core.errors import InvalidInput, JobCancelled
from providers.speech import piper
from tests import media


def test_each_sentence_sounds_where_it_is_said_to_and_nowhere_else() -> None:
    clip = media.spoken_clip(media.TALK[:3], [0.4, 1.2, 0.6], fillers={1: "Um,"}, lead=0.75)
    samples, rate = piper.read_wav(clip.path)
    loud = np.abs(samples.astype(np.int32)) > 400
    inside = np.zeros(samples.size, bool)
    assert clip.parts[0].start == pytest.approx(0.75, abs=1e-3)
    for part in clip.parts:
        inside[round(part.start * rate) : round(part.end * rate) + 1] = True
        edges = np.flatnonzero(loud[round(part.start * rate) : round(part.end * rate)]) / rate
        assert edges[0] < 0.02
        assert edges[-1] > part.end - part.start - 0.02
    assert not loud[~inside].any()
    assert [part.text for part in clip.fillers] == ["Um,"]
    assert clip.duration == pytest.approx(clip.parts[-1].end + 0.6, abs=1e-3)


def test_the_same_words_without_variation_are_the_same_sound(tmp_path: Path) -> None:
    for name in ("one.wav", "two.wav"):
        piper.synthesize(["Twice the same."], [0.0], tmp_path / name, variation=0.0)
    assert (tmp_path / "one.wav").read_bytes() == (tmp_path / "two.wav").read_bytes()


def test_nothing_to_say_is_refused(tmp_path: Path) -> None:
    for sentences, pauses in (([], []), ([" "], [1.0]), (["Hello."], [])):
        with pytest.raises(InvalidInput):
            piper.synthesize(sentences, pauses, tmp_path / "out.wav")


def test_cancelling_ends_the_program_and_leaves_nothing(tmp_path: Path) -> None:
    def cancel(fraction: float, stage: str | None = None) -> None:
        raise JobCancelled

    with pytest.raises(JobCancelled):
        piper.synthesize(list(media.TALK), [0.1] * len(media.TALK), tmp_path / "out.wav", progress=cancel)
    assert not list(tmp_path.iterdir())


def test_the_gpl_program_is_not_imported() -> None:
    assert not any(name == "piper" or name.startswith("piper.") for name in sys.modules)
