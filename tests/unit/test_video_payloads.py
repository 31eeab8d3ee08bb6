"""What a video job may be asked, and which pixels come of it (SPEC V5, H1)."""

from __future__ import annotations

from fractions import Fraction
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from core.video.payloads import MultiExportInput, ShortsInput, SubtitleInput, VideoEditInput
from core.video.sizes import PLATFORM_RATIOS, RATIOS, TargetOutput, resolve_targets


def test_operations_are_told_apart_by_type_and_keep_their_settings() -> None:
    edit = VideoEditInput.model_validate(
        {
            "mode": "edit",
            "provider": "internal_ffmpeg",
            "source_video_id": str(uuid4()),
            "operations": [
                {"type": "auto_cut_silence", "threshold_db": -40},
                {"type": "add_music", "audio_preset": "lofi", "duck_db": 12},
                {"type": "remove_range", "start": 1, "end": 2.5},
            ],
            "target_outputs": [{"platform": "tiktok"}, {"aspect_ratio": "1:1", "resolution": "720p"}],
        }
    )
    assert [operation.type for operation in edit.operations] == ["auto_cut_silence", "add_music", "remove_range"]
    assert edit.operations[0].model_dump()["threshold_db"] == -40
    assert VideoEditInput.model_validate_json(edit.model_dump_json()) == edit


@pytest.mark.parametrize(
    "operation",
    [
        {"type": "make_it_nice"},
        {"type": "auto_cut_silence", "treshold_db": -30},
        {"type": "remove_range", "start": 3, "end": 3},
        {"type": "auto_speed"},
        {"type": "auto_transition", "style": "starfish"},
        {"type": "auto_transition", "style": "dip", "duration_seconds": 9},
        {"type": "auto_speed", "factor": 0.1},
        {"type": "auto_speed", "silence_factor": 17},
        {"type": "auto_speed", "factor": 2, "ramp_seconds": 0.5},
        {"type": "add_music"},
        {"type": "add_subtitle", "style": "comic"},
        {"type": "reduce_noise", "strength": 2},
        {"type": "normalize_loudness", "target_lufs": 3},
    ],
)
def test_what_cannot_be_done_is_refused(operation: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        VideoEditInput.model_validate({"source_video_id": str(uuid4()), "operations": [operation]})


def test_unknown_fields_are_refused() -> None:
    with pytest.raises(ValidationError):
        VideoEditInput.model_validate({"source_video_id": str(uuid4()), "quality": "best"})
    with pytest.raises(ValidationError):
        MultiExportInput.model_validate({"source_video_id": str(uuid4()), "target_outputs": []})
    with pytest.raises(ValidationError):
        SubtitleInput.model_validate({"video_asset_id": str(uuid4()), "style": "nope"})


def test_shorts_take_music_by_preset_or_asset() -> None:
    asset = uuid4()
    by_name = ShortsInput.model_validate({"source_video_id": str(uuid4()), "music": "lofi"})
    by_asset = ShortsInput.model_validate({"source_video_id": str(uuid4()), "music": str(asset)})
    assert by_name.music
    assert by_name.music.audio_preset == "lofi"
    assert by_asset.music
    assert by_asset.music.music_asset_id == asset
    with pytest.raises(ValidationError):
        ShortsInput.model_validate({"source_video_id": str(uuid4()), "min_seconds": 40, "max_seconds": 20})


@pytest.mark.parametrize(
    ("target", "size"),
    [
        ({"platform": "youtube"}, (1920, 1080)),
        ({"platform": "tiktok"}, (1080, 1920)),
        ({"platform": "reels"}, (1080, 1920)),
        ({"platform": "facebook"}, (1080, 1350)),
        ({"platform": "square"}, (1080, 1080)),
        ({"aspect_ratio": "9:16", "resolution": "720p"}, (720, 1280)),
        ({"aspect_ratio": "16:9", "resolution": "480p"}, (854, 480)),
        ({"aspect_ratio": "4:5", "resolution": "720p"}, (720, 900)),
        ({"aspect_ratio": "9:16", "resolution": "source"}, (404, 720)),
        ({"aspect_ratio": "source"}, (1280, 720)),
        ({"aspect_ratio": "source", "resolution": "2160p"}, (1280, 720)),
        ({"aspect_ratio": "source", "resolution": "360p"}, (640, 360)),
        ({"resolution": "1080x1920"}, (1080, 1920)),
    ],
)
def test_sizes_for_a_720p_source(target: dict[str, str], size: tuple[int, int]) -> None:
    output = TargetOutput.model_validate(target).pixels(1280, 720)
    assert (output.width, output.height) == size


@pytest.mark.parametrize(
    "target",
    [
        {},
        {"platform": "tiktok", "aspect_ratio": "16:9"},
        {"aspect_ratio": "9:16", "resolution": "1920x1080"},
        {"aspect_ratio": "9:16", "resolution": "huge"},
        {"aspect_ratio": "9:16", "resolution": "9999p"},
    ],
)
def test_contradictory_targets_are_refused(target: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        TargetOutput.model_validate(target)


def test_platforms_of_one_shape_share_a_file() -> None:
    targets = [TargetOutput(platform="tiktok"), TargetOutput(platform="reels"), TargetOutput(platform="youtube")]
    assert [target.aspect_ratio for target in resolve_targets(targets, 1280, 720)] == ["9:16", "16:9"]


@given(
    ratio=st.sampled_from(sorted(RATIOS)),
    resolution=st.sampled_from([None, "source", "360p", "720p", "1080p"]),
    width=st.integers(160, 4000),
    height=st.integers(160, 4000),
)
def test_sizes_are_even_of_the_right_shape_and_source_is_not_enlarged(
    ratio: str, resolution: str | None, width: int, height: int
) -> None:
    output = TargetOutput.model_validate({"aspect_ratio": ratio, "resolution": resolution}).pixels(width, height)
    assert output.width % 2 == 0
    assert output.height % 2 == 0
    wanted = RATIOS[output.aspect_ratio]
    assert abs(output.width - output.height * wanted) <= 2 + 2 * wanted
    if resolution == "source":
        assert output.width <= width + 1
        assert output.height <= height + 1


def test_every_platform_has_a_known_shape() -> None:
    assert all(Fraction(RATIOS[ratio]) > 0 for ratio in PLATFORM_RATIOS.values())


def test_an_edit_is_either_one_or_several_versions() -> None:
    source = str(uuid4())
    version = {
        "name": "Tight",
        "operations": [{"type": "auto_cut_silence"}],
        "target_outputs": [{"platform": "tiktok"}],
    }
    order = VideoEditInput.model_validate({"source_video_id": source, "versions": [version, {"name": "Full"}]})
    assert VideoEditInput.model_validate_json(order.model_dump_json()) == order
    assert [edit.target_outputs[0].ratio for edit in order.edits] == ["9:16", "source"]
    plain = VideoEditInput.model_validate({"source_video_id": source, "operations": [{"type": "auto_cut_silence"}]})
    assert plain.edits == (plain,)
    for wrong in (
        {"versions": [version], "operations": [{"type": "auto_cut_silence"}]},
        {"versions": [version], "target_outputs": [{"platform": "youtube"}]},
        {"versions": [version], "timeline_id": source},
        {"versions": [version, {"name": "tight "}]},
        {"versions": [{**version, "name": " "}]},
        {"versions": [{**version, "target_outputs": []}]},
        {"versions": [{**version, "operations": [{"type": "cut_by_beat"}]}]},
        {"versions": [{"name": str(number)} for number in range(9)]},
    ):
        with pytest.raises(ValidationError):
            VideoEditInput.model_validate({"source_video_id": source, **wrong})
    with pytest.raises(ValidationError):
        ShortsInput.model_validate({"source_video_id": source, "operations": [{"type": "highlight"}]})


def test_only_what_is_made_and_can_be_drawn_is_burnt_in() -> None:
    order = {"video_asset_id": str(uuid4()), "target_languages": ["th", "ja"], "burn_in": True}
    assert SubtitleInput.model_validate({**order, "burn_in_language": "th"}).burn_in_language == "th"
    for wrong in ({"burn_in_language": "de"}, {"burn_in_language": "ja"}, {"burn_in_language": "th", "burn_in": False}):
        with pytest.raises(ValidationError):
            SubtitleInput.model_validate({**order, **wrong})
