"""What may be ordered of stems and mixes."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from core.music.stem_payloads import MixInput, StemsInput

SONG, GROUP = str(uuid4()), str(uuid4())


def test_stems_are_named_once_each_and_vocals_means_vocal() -> None:
    order = StemsInput.model_validate({"audio_asset_id": SONG, "stems": ["vocals", "bass", "vocal"]})
    assert order.stems == ("vocal", "bass")
    assert StemsInput.model_validate({"audio_asset_id": SONG}).provider == "builtin"


@pytest.mark.parametrize(
    "wrong", [{"stems": ["piano"]}, {"stems": []}, {"stems": "vocal"}, {"provider": "auto"}, {"x": 1}]
)
def test_unknown_stems_providers_and_fields_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        StemsInput.model_validate({"audio_asset_id": SONG, **wrong})


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"stem_group_id": GROUP, "tracks": [{"asset_id": SONG}]},
        {"tracks": [{"asset_id": SONG, "muted": True}]},
        {"tracks": [{"asset_id": SONG}], "preset": "karaoke"},
        {"tracks": [{"asset_id": SONG, "gain_db": float("nan")}]},
        {"tracks": [{"asset_id": SONG}] * 33},
        {"stem_group_id": GROUP, "format": "ogg"},
    ],
)
def test_a_mix_is_of_one_group_or_of_tracks_that_sound(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        MixInput.model_validate(wrong)
    assert MixInput.model_validate({"stem_group_id": GROUP, "preset": "karaoke"}).format == "wav"
