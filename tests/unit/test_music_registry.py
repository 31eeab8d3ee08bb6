"""The registry says what is there without loading an engine."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

from core.i18n.catalogue import has
from providers import registry

NOTHING = registry._Studio(frozenset(), frozenset())


def everything(studio: registry._Studio = NOTHING) -> list[registry.ProviderInfo]:
    return [info for entry in registry._ENTRIES for info in entry(studio)]


def test_names_are_unique_and_every_state_has_its_sentence() -> None:
    found = everything()
    assert len({(info.kind, info.name) for info in found}) == len(found)
    for info in found:
        assert has(info.reason_key), info.reason_key
        for lang in ("en", "th"):
            assert info.reason_in(lang)
        assert info.licence


def test_what_is_built_in_is_ready_and_what_is_not_built_is_not() -> None:
    ready = {info.name for info in everything() if info.ready}
    assert {"internal_ffmpeg", "whisper-bundled", "piper", "librosa", "simulated", "analyst"} <= ready
    assert not {"runway", "pika", "luma", "youtube"} & ready
    connected = everything(replace(NOTHING, platforms=frozenset({"youtube"})))
    assert "youtube" in {info.name for info in connected if info.ready}


def test_only_the_simulated_platform_is_marked_as_simulated() -> None:
    assert [info.name for info in everything() if info.simulated] == ["simulated"]


def test_asking_loads_no_engine() -> None:
    script = (
        "import sys; from providers import registry as r; s = r._Studio(frozenset(), frozenset());"
        "[e(s) for e in r._ENTRIES];"
        "heavy = ('torch','librosa','ctranslate2','faster_whisper','onnxruntime','av','numpy','scipy','piper');"
        "print([m for m in heavy if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
