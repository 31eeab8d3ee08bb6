"""What a video job is asked to do: one frozen model per kind, shared by page, API and worker (SPEC H).

Only what the studio can carry out is accepted; an unknown operation, field or style is refused before a job exists.
Seconds are seconds of the source, levels are dB, loudness is LUFS, sizes are pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from core import translation
from core.speech import Provider
from core.video.caption_styles import STYLES
from core.video.sizes import TargetOutput
from core.video.timeline import (
    MAX_SPEED,
    MAX_TRANSITION_SECONDS,
    MIN_SPEED,
    MIN_TRANSITION_SECONDS,
    AspectRatio,
    TransitionStyle,
)

Language = Annotated[str, Field(pattern=r"^(auto|[a-z]{2,3}(-[A-Za-z0-9]{2,8})*)$")]
Fraction01 = Annotated[float, Field(ge=0.0, le=1.0)]
Loudness = Annotated[float, Field(ge=-40.0, le=-5.0)]
SubtitleFormat = Literal["srt", "vtt", "ass"]


def check_style(name: str) -> str:
    """``name`` if it is a caption style of the studio; raises ValueError naming those that are."""
    if name not in STYLES:
        raise ValueError(f"unknown caption style {name!r}; choose one of {', '.join(sorted(STYLES))}")
    return name


CaptionStyleName = Annotated[str, Field(max_length=40)]


class _Payload(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AutoCutSilence(_Payload):
    """Remove pauses: ``level`` compares the measured level with ``threshold_db`` (dBFS; empty: found from the
    recording), ``voice`` asks the voice-activity model. Pauses shorter than ``min_silence_seconds`` stay;
    ``padding_seconds`` stay around speech."""

    type: Literal["auto_cut_silence"] = "auto_cut_silence"
    threshold_db: float | None = Field(default=None, ge=-90.0, le=0.0)
    min_silence_seconds: float = Field(default=0.6, ge=0.1, le=60.0)
    padding_seconds: float = Field(default=0.12, ge=0.0, le=5.0)
    method: Literal["level", "voice"] = "level"


class AutoCutFillers(_Payload):
    """Remove hesitations and false starts; ``words`` are further words or phrases to remove."""

    type: Literal["auto_cut_fillers"] = "auto_cut_fillers"
    words: tuple[Annotated[str, Field(min_length=1, max_length=60)], ...] = Field(default=(), max_length=100)


class AutoCutRepeats(_Payload):
    """Of several takes of one sentence the last good one stays."""

    type: Literal["auto_cut_repeats"] = "auto_cut_repeats"
    keep: Literal["last"] = "last"


class RemoveRange(_Payload):
    """Remove ``start`` to ``end`` seconds of the source."""

    type: Literal["remove_range"] = "remove_range"
    start: float = Field(ge=0.0)
    end: float = Field(gt=0.0)

    @model_validator(mode="after")
    def _ordered(self) -> RemoveRange:
        if self.end <= self.start:
            raise ValueError("end must be later than start")
        return self


class AutoSpeed(_Payload):
    """Change the pace, pitch kept: ``factor`` for all that stays; with ``silence_factor`` the pauses that
    ``auto_cut_silence`` would remove (by its settings where it is asked for too) stay and pass so many times as fast,
    rising to it and falling from it over ``ramp_seconds``."""

    type: Literal["auto_speed"] = "auto_speed"
    factor: float | None = Field(default=None, ge=MIN_SPEED, le=MAX_SPEED)
    silence_factor: float | None = Field(default=None, ge=MIN_SPEED, le=MAX_SPEED)
    ramp_seconds: float = Field(default=0.0, ge=0.0, le=5.0)

    @model_validator(mode="after")
    def _something_to_do(self) -> AutoSpeed:
        if self.factor is None and self.silence_factor is None:
            raise ValueError("give factor, silence_factor or both")
        if self.ramp_seconds and self.silence_factor is None:
            raise ValueError("ramp_seconds belongs to silence_factor")
        return self


class AutoTransition(_Payload):
    """How kept pieces meet: a plain cut, a cross-fade, every other piece closer (``zoom``), a dip to black, or a wipe,
    each in ``duration_seconds`` (at most half of the shorter piece beside it)."""

    type: Literal["auto_transition"] = "auto_transition"
    style: TransitionStyle = "crossfade"
    duration_seconds: float = Field(default=0.4, ge=MIN_TRANSITION_SECONDS, le=MAX_TRANSITION_SECONDS)


class CutByBeat(_Payload):
    """Pieces change on the beats of a track, ``music_asset_id`` or that of ``add_music``: joints between spoken pieces
    move onto the nearest beat they can reach; footage nobody speaks in changes every ``beats_per_cut`` beats."""

    type: Literal["cut_by_beat"] = "cut_by_beat"
    music_asset_id: UUID | None = None
    beats_per_cut: int = Field(default=4, ge=1, le=64)


class Highlight(_Payload):
    """Keep only the best stretch of whole sentences, at most ``max_seconds`` of the result and, where the talk allows,
    at least three quarters of that. What is shorter already stays as it is."""

    type: Literal["highlight"] = "highlight"
    max_seconds: float = Field(default=60.0, ge=5.0, le=900.0)


class AutoReframe(_Payload):
    """Crop to the targets' shapes. Without ``target_aspect_ratio`` it holds for every target.

    ``auto`` follows a face where there is one and stays in the middle elsewhere; ``mode`` crop, blurred background
    or letter-box.
    """

    type: Literal["auto_reframe"] = "auto_reframe"
    target_aspect_ratio: AspectRatio | None = None
    subject: Literal["auto", "face", "center"] = "auto"
    mode: Literal["crop", "blur", "letterbox"] = "crop"


class AddSubtitle(_Payload):
    """Captions from the speech, burnt in or written beside the video."""

    type: Literal["add_subtitle"] = "add_subtitle"
    subtitle_mode: Literal["auto"] = "auto"
    style: CaptionStyleName = "tiktok"
    language: Language = "auto"
    burn_in: bool = True

    _style = field_validator("style")(check_style)


class _Music(_Payload):
    music_asset_id: UUID | None = None
    audio_preset: str | None = Field(default=None, min_length=1, max_length=40)
    duck_db: float = Field(default=10.0, ge=0.0, le=40.0)
    gain_db: float = Field(default=-14.0, ge=-60.0, le=6.0)

    @field_validator("duck_db", mode="before")
    @classmethod
    def _how_far_down(cls, level: Any) -> Any:
        """Twelve down and minus twelve mean the same: music never rises under a voice."""
        return abs(level) if isinstance(level, int | float) and not isinstance(level, bool) else level

    @model_validator(mode="after")
    def _one_source(self) -> _Music:
        if (self.music_asset_id is None) == (self.audio_preset is None):
            raise ValueError("give either music_asset_id or audio_preset")
        return self


class MusicChoice(_Music):
    """Which music lies under a short: an asset, or one of the built-in tracks by its preset name."""


def music_by_name(value: Any) -> Any:
    """Music may be given as a preset's name or an asset's id alone; everything else is left to the model."""
    if not isinstance(value, str | UUID):
        return value
    try:
        return {"music_asset_id": UUID(str(value))}
    except ValueError:
        return {"audio_preset": value}


class AddMusic(_Music):
    """Music under the voice, ``duck_db`` quieter while someone speaks. With ``sync_to_beat`` the joints between pieces
    move onto its beats where no word is in the way."""

    type: Literal["add_music"] = "add_music"
    sync_to_beat: bool = False


class ReduceNoise(_Payload):
    """Take steady noise out of the voice; strength 0–1."""

    type: Literal["reduce_noise"] = "reduce_noise"
    strength: Fraction01 = 0.5


class NormalizeLoudness(_Payload):
    """Bring the result to ``target_lufs`` integrated loudness (EBU R 128), true peak at most −1 dBTP."""

    type: Literal["normalize_loudness"] = "normalize_loudness"
    target_lufs: Loudness = -14.0


CutOperation = AutoCutSilence | AutoCutFillers | AutoCutRepeats | RemoveRange
Operation = Annotated[
    AutoCutSilence
    | AutoCutFillers
    | AutoCutRepeats
    | RemoveRange
    | AutoSpeed
    | AutoTransition
    | CutByBeat
    | Highlight
    | AutoReframe
    | AddSubtitle
    | AddMusic
    | ReduceNoise
    | NormalizeLoudness,
    Field(discriminator="type"),
]
Operations = Annotated[tuple[Operation, ...], Field(max_length=50)]


def check_beats(operations: Sequence[Operation], *, music: bool = False) -> None:
    """Raise ValueError where cuts are to follow beats and no track is named; ``music`` says that another field does."""
    cut = [operation for operation in operations if isinstance(operation, CutByBeat)]
    named = music or any(isinstance(operation, AddMusic) for operation in operations)
    if not named and any(operation.music_asset_id is None for operation in cut):
        raise ValueError("cut_by_beat needs music_asset_id, or add_music beside it")


Targets = Annotated[tuple[TargetOutput, ...], Field(max_length=12)]
_WHOLE: Targets = (TargetOutput(aspect_ratio="source"),)


class EditVersion(_Payload):
    """One of several edits of a source in one job; the fields mean what they mean in :class:`VideoEditInput`. Its
    results and its draft carry ``name``."""

    name: Annotated[str, Field(min_length=1, max_length=60, pattern=r"\S")]
    operations: Operations = ()
    target_outputs: Targets = _WHOLE
    timeline_id: UUID | None = None

    @model_validator(mode="after")
    def _possible(self) -> EditVersion:
        check_beats(self.operations)
        return self


class VideoEditInput(_Payload):
    """POST /video/edit. With ``dry_run`` the job ends with the timeline; ``timeline_id`` starts from a stored,
    corrected timeline instead of the bare source. ``versions`` make several edits of the source in one job, in place
    of ``operations``, ``target_outputs`` and ``timeline_id``; what is heard and seen is measured once for all."""

    mode: Literal["edit"] = "edit"
    provider: Literal["internal_ffmpeg"] = "internal_ffmpeg"
    source_video_id: UUID
    operations: Operations = ()
    target_outputs: Targets = _WHOLE
    language: Language = "auto"
    speech_provider: Provider = "local"
    dry_run: bool = False
    timeline_id: UUID | None = None
    versions: Annotated[tuple[EditVersion, ...], Field(max_length=8)] = ()

    @model_validator(mode="after")
    def _something_to_render(self) -> VideoEditInput:
        if self.versions:
            if self.operations or self.target_outputs != _WHOLE or self.timeline_id is not None:
                raise ValueError("give either versions, or operations, target_outputs and timeline_id")
            names = [version.name.strip().casefold() for version in self.versions]
            if len(set(names)) < len(names):
                raise ValueError("each version needs a name of its own")
        if not self.dry_run and not all(edit.target_outputs for edit in self.edits):
            raise ValueError("target_outputs must name at least one output")
        check_beats(self.operations)
        return self

    @property
    def edits(self) -> tuple[VideoEditInput | EditVersion, ...]:
        """The edits of the job: its versions, or itself."""
        return self.versions or (self,)


class RenderTimelineInput(_Payload):
    """POST /video/timelines/{id}/render: the stored timeline as the user left it."""

    timeline_id: UUID
    target_outputs: Annotated[tuple[TargetOutput, ...], Field(min_length=1, max_length=12)]


class MultiExportInput(_Payload):
    """POST /video/multi-export: one source in several shapes."""

    source_video_id: UUID
    target_outputs: Annotated[tuple[TargetOutput, ...], Field(min_length=1, max_length=12)]


class SubtitleInput(_Payload):
    """POST /video/subtitle (SubtitleJobInput). ``target_languages`` are written beside the spoken language, translated
    by ``translation_provider``; empty means the spoken one alone. ``burn_in_language`` is the one burnt in, without it
    the spoken one."""

    video_asset_id: UUID
    source_language: Language = "auto"
    speech_provider: Provider = "local"
    target_languages: tuple[Language, ...] = Field(default=(), max_length=20)
    translation_provider: translation.Provider = "local"
    style: CaptionStyleName = "clean"
    formats: tuple[SubtitleFormat, ...] = Field(default=("srt", "vtt"), min_length=1)
    burn_in: bool = False
    burn_in_language: Language = "auto"

    _style = field_validator("style")(check_style)

    @model_validator(mode="after")
    def _burnt_in_is_made(self) -> SubtitleInput:
        if self.burn_in_language != "auto" and not self.burn_in:
            raise ValueError("burn_in_language belongs to burn_in")
        if self.burn_in_language not in ("auto", self.source_language, *self.target_languages):
            raise ValueError("burn_in_language must be one of target_languages")
        if not translation.drawn(self.burn_in_language):
            raise ValueError(f"the caption font has no letters for {self.burn_in_language}; take the files")
        return self


class StillInput(_Payload):
    """POST /video/still: the picture at ``at_seconds`` of a video as a JPEG of the library, a thumbnail for posts."""

    video_asset_id: UUID
    at_seconds: float = Field(ge=0.0, le=86_400.0)


class ShortsInput(_Payload):
    """POST /video/shorts: the best ``count`` clips between ``min_seconds`` and ``max_seconds``.

    ``music`` may be given as a preset's name or an asset's id. ``operations`` hold for every short (cuts, noise,
    loudness, reframing). With ``dry_run`` the job ends with the candidates.
    """

    source_video_id: UUID
    count: int = Field(default=10, ge=1, le=50)
    min_seconds: float = Field(default=15.0, ge=3.0, le=600.0)
    max_seconds: float = Field(default=60.0, ge=3.0, le=900.0)
    aspect_ratio: AspectRatio = "9:16"
    resolution: str | None = Field(default=None, max_length=20)
    style: CaptionStyleName | None = "tiktok"
    music: MusicChoice | None = None
    operations: Operations = ()
    language: Language = "auto"
    speech_provider: Provider = "local"
    dry_run: bool = False

    @field_validator("style")
    @classmethod
    def _style(cls, name: str | None) -> str | None:
        return None if name is None else check_style(name)

    _named_music = field_validator("music", mode="before")(music_by_name)

    @model_validator(mode="after")
    def _ordered(self) -> ShortsInput:
        if self.max_seconds < self.min_seconds:
            raise ValueError("max_seconds must not be less than min_seconds")
        TargetOutput(aspect_ratio=self.aspect_ratio, resolution=self.resolution)
        check_beats(self.operations, music=self.music is not None)
        if any(isinstance(operation, Highlight) for operation in self.operations):
            raise ValueError("shorts are highlights already; leave the operation highlight out")
        return self

    @property
    def target(self) -> TargetOutput:
        """The one output of every short."""
        return TargetOutput(aspect_ratio=self.aspect_ratio, resolution=self.resolution)


class IngestInput(_Payload):
    """Prepare an uploaded asset for the pages: peaks, thumbnails, loudness, a proxy where needed."""

    asset_id: UUID


class SampleInput(_Payload):
    """The sample recording of the first page; it takes no settings."""
