"""Which videos an advertising set has, what they are called, and which sets are refused (SPEC V6.3)."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from core.video.ad_payloads import MOST_ADS, AdsInput
from core.video.ads import adverts, file_name, title_of
from core.video.ass import ass_document
from core.video.sizes import resolve_targets
from core.video.timeline import Word

VIDEO = UUID(int=7)


PIECE = {"video_asset_id": VIDEO, "start": 0, "end": 2}


def order(sizes: tuple[int, int, int, int, int] = (1, 1, 0, 1, 0), **fields: Any) -> AdsInput:
    """A set of so many hooks, bodies, calls, shapes and languages."""
    hooks, bodies, calls, shapes, languages = sizes
    ratios = ("9:16", "1:1", "4:5", "16:9")
    return AdsInput.model_validate(
        {
            "hooks": [PIECE] * hooks,
            "bodies": [PIECE] * bodies,
            "calls_to_action": [PIECE] * calls,
            "target_outputs": [{"aspect_ratio": ratio} for ratio in ratios[:shapes]],
            "languages": ["en", "th", "vi", "id"][:languages],
            **fields,
        }
    )


@given(st.integers(1, 4), st.integers(1, 3), st.integers(0, 3), st.integers(1, 4), st.integers(0, 4))
def test_every_combination_is_there_once_under_a_name_of_its_own(
    hooks: int, bodies: int, calls: int, shapes: int, languages: int
) -> None:
    expected = hooks * bodies * max(calls, 1) * shapes * max(languages, 1)
    if expected > MOST_ADS:
        with pytest.raises(ValidationError, match=f"this makes {expected} videos"):
            order((hooks, bodies, calls, shapes, languages))
        return
    wanted = order((hooks, bodies, calls, shapes, languages))
    assert AdsInput.model_validate_json(wanted.model_dump_json()) == wanted
    contents = adverts(wanted)
    assert wanted.count == expected == len(contents) * shapes
    assert len(set(contents)) == len(contents)
    targets = resolve_targets(wanted.target_outputs, 1280, 720)
    names = {file_name(wanted, advert, target) for advert in contents for target in targets}
    assert len(names) == expected
    assert all(len(advert.pieces) == (3 if calls else 2) for advert in contents)


def test_names_tell_what_is_in_them() -> None:
    wanted = order((1, 1, 1, 1, 2), name="Sale", hooks=[{**PIECE, "name": "Question"}])
    second = adverts(wanted)[1]
    assert title_of(wanted, second) == "Sale · H1 B1 C1 th · Question"
    target = resolve_targets(wanted.target_outputs, 1280, 720)[0]
    assert file_name(wanted, second, target).endswith(" · 9x16")


@pytest.mark.parametrize(
    "wrong",
    [
        {"hooks": []},
        {"bodies": []},
        {"target_outputs": []},
        {"target_outputs": [{"aspect_ratio": "source"}]},
        {"languages": ["en", "en"]},
        {"languages": ["ja"]},
        {"hooks": [{"video_asset_id": VIDEO, "start": 1, "end": 1.2}]},
        {"hooks": [{"video_asset_id": VIDEO, "text": {"en": "Hi"}}]},
        {"hooks": [{"video_asset_id": VIDEO, "text": {"en": "Hi"}}], "languages": ["en", "th"]},
        {"operations": [{"type": "add_subtitle"}]},
        {"operations": [{"type": "highlight"}]},
        {"style": "comic"},
        {"name": "  "},
        {"surprise": str(uuid4())},
    ],
)
def test_what_makes_no_set_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        order(**wrong)


def test_a_title_stands_at_the_top_broken_between_words_and_escaped() -> None:
    words = [Word(word="Hello", start=0.2, end=0.6)]
    plain = ass_document(words, "clean", 360, 640, "9:16")
    titled = ass_document(
        words, "clean", 360, 640, "9:16", title="Stop {scrolling} for one very good minute", seconds=3
    )
    assert titled.startswith(plain)
    lines = titled.removeprefix(plain).splitlines()
    assert len(lines) >= 2
    assert all(line.startswith("Dialogue: 1,0:00:00.00,0:00:03.00,") for line in lines)
    heights = [float(line.split("\\pos(")[1].split(",")[1].split(")")[0]) for line in lines]
    assert heights == sorted(heights)
    assert heights[-1] < 320
    shown = " ".join(line.rsplit("}", 1)[1] for line in lines)
    assert shown == "Stop (scrolling) for one very good minute"
    thai = ass_document((), "box", 360, 640, "9:16", title="ลดราคาครั้งใหญ่ที่สุดในรอบปีเฉพาะวันนี้เท่านั้น", seconds=2)
    said = "".join(line.rsplit("}", 1)[1] for line in thai.splitlines() if line.startswith("Dialogue: 1"))
    assert said == "ลดราคาครั้งใหญ่ที่สุดในรอบปีเฉพาะวันนี้เท่านั้น"
