"""Between the editor's form (:class:`pages.editor.project.Choices`) and what a recipe makes. Pure."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from core.publishing.pipelines.recipe import MakeEdit, MakeShorts
from core.video.payloads import (
    AddMusic,
    AddSubtitle,
    AutoCutFillers,
    AutoCutRepeats,
    AutoCutSilence,
    AutoReframe,
    AutoSpeed,
    AutoTransition,
    CutByBeat,
    MusicChoice,
    NormalizeLoudness,
    ReduceNoise,
)
from pages.editor import operations
from pages.editor.project import Choices

Kind = Literal["shorts", "edit"]
_NOBODY = UUID(int=0)


def make_of(kind: Kind, choices: Choices) -> MakeEdit | MakeShorts:
    """What a recipe makes, from what the form says."""
    if kind == "shorts":
        order = operations.shorts_input(_NOBODY, choices)
        return MakeShorts(kind="shorts", **order.model_dump(exclude={"source_video_id", "dry_run"}))
    edit = operations.plan_input(_NOBODY, choices)
    kept = edit.model_dump(include={"operations", "target_outputs", "language", "speech_provider"})
    return MakeEdit(kind="edit", **kept)


def choices_of(make: MakeEdit | MakeShorts) -> Choices:
    """What the form shows for it; settings that the form does not have are left at the form's own."""
    found: dict[str, object] = {
        "language": "" if make.language == "auto" else make.language,
        "speech_provider": make.speech_provider,
        **{"pauses": "leave", "captions": "", "loudness": False, "follow_face": False},
    }
    for one in make.operations:
        if isinstance(one, AutoCutSilence):
            found |= {"pauses": "cut", "min_silence_seconds": one.min_silence_seconds}
        elif isinstance(one, AutoTransition):
            found |= {"transition": one.style, "transition_seconds": one.duration_seconds}
        elif isinstance(one, AutoReframe):
            found["follow_face"] = one.subject != "center"
        elif isinstance(one, AddSubtitle):
            found["captions"] = one.style
        elif isinstance(one, AddMusic):
            found |= _music(one) | {"on_beat": one.sync_to_beat}
        elif isinstance(one, CutByBeat):
            found |= {"on_beat": True, "beats_per_cut": one.beats_per_cut}
        else:
            found |= {"cut_fillers": True} if isinstance(one, AutoCutFillers) else {}
            found |= {"cut_repeats": True} if isinstance(one, AutoCutRepeats) else {}
            found |= {"reduce_noise": True} if isinstance(one, ReduceNoise) else {}
            found |= {"loudness": True} if isinstance(one, NormalizeLoudness) else {}
    for speed in (one for one in make.operations if isinstance(one, AutoSpeed)):
        found |= {"speed": speed.factor} if speed.factor else {}
        found |= {"pauses": "speed", "pause_speed": speed.silence_factor} if speed.silence_factor else {}
    if isinstance(make, MakeShorts):
        found |= {"shorts": make.count, "max_seconds": int(make.max_seconds), "captions": make.style or ""}
        found |= _music(make.music) if make.music is not None else {}
        found |= {"resolution": make.resolution} if make.resolution in ("720p", "1080p") else {}
    else:
        found["formats"] = list(make.shapes)
        sizes = {target.resolution for target in make.target_outputs} & {"720p", "1080p"}
        found |= {"resolution": sizes.pop()} if len(sizes) == 1 else {}
    return Choices.model_validate(found)


def _music(choice: MusicChoice | AddMusic) -> dict[str, object]:
    name = f"asset:{choice.music_asset_id}" if choice.music_asset_id else f"preset:{choice.audio_preset}"
    return {"music": name, "duck_db": choice.duck_db}
