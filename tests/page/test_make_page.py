"""The page that makes videos from pictures or words: what each way orders, and what is refused there (SPEC V1)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import select

from core import database, voices
from core.i18n import t
from core.models.jobs import Job
from core.preferences import store_value
from core.security import Actor
from core.video.generate.looks import LOOKS
from core.video.generate.payloads import GenerateInput
from pages.making import board
from tests.page.conftest import ROOT, Open, words
from workers.video import style_stills

Add = Callable[..., UUID]


def order_of(owner: Actor) -> GenerateInput:
    """The newest order."""
    with database.session(owner) as session:
        payload: dict[str, Any] = session.scalars(
            select(Job.payload).where(Job.kind == "video.generate").order_by(Job.created_at.desc())
        ).first()  # type: ignore[assignment]
    return GenerateInput.model_validate(payload)


@pytest.mark.parametrize("language", ["en", "th"])
def test_pictures_in_their_order_with_style_shape_music_and_length(
    open_page: Open, settled: Callable[[str], None], owner: Actor, add_asset: Add, language: str
) -> None:
    settled(language)
    first, second = (add_asset(f"{name}.png", "image", has_audio=False, duration_seconds=None) for name in "ab")
    page = open_page("make")
    assert page.button(key="make").disabled
    page.multiselect(key="make_pictures").set_value([second, first]).run()
    page.get("button_group")  # the style's pills are drawn
    page.selectbox(key="make_music").set_value("preset:lofi").run()
    page.number_input(key="make_seconds").set_value(12.0).run()
    page.segmented_control(key="make_shape").set_value("9:16").run()
    page.button(key="make").click().run()
    assert not page.exception
    order = order_of(owner)
    assert order.source_assets == (second, first)
    assert (order.style, order.aspect_ratio, order.audio_preset, order.duration_seconds, order.provider) == (
        "cinematic", "9:16", "lofi", 12.0, "internal_ffmpeg",
    )  # fmt: skip


def test_a_script_asks_for_a_voice_that_can_say_it(
    open_page: Open, settled: Callable[[str], None], owner: Actor
) -> None:
    settled("en")
    page = open_page("make")
    page.segmented_control(key="make_source").set_value("script").run()
    page.text_area(key="make_script").set_value("สวัสดีครับ").run()
    assert page.button(key="make").disabled
    assert "no Thai voice" in page.warning[0].value
    page.text_area(key="make_script").set_value("Press record.\n\nThen speak.").run()
    page.selectbox(key="make_captions").set_value("karaoke").run()
    page.button(key="make").click().run()
    order = order_of(owner)
    assert (order.script, order.voice, order.captions) == ("Press record.\n\nThen speak.", voices.BUNDLED, "karaoke")


def test_a_prompt_says_what_the_engine_does_not_draw_and_services_say_what_they_lack(
    open_page: Open, settled: Callable[[str], None], owner: Actor
) -> None:
    settled("en")
    page = open_page("make")
    page.segmented_control(key="make_source").set_value("prompt").run()
    page.text_input(key="make_prompt").set_value("Three habits").run()
    assert "draws no photographs" in words(page)
    engine = page.radio(key="make_engine")
    assert engine.options[0] == t("make.here", "en")
    assert {"Runway", "Pika", "Luma"} <= set(engine.options)
    for name in ("pika", "luma", "runway"):
        page.radio(key="make_engine").set_value(name).run()
        assert page.button(key="make").disabled
    page.radio(key="make_engine").set_value("internal_ffmpeg").run()
    page.button(key="make").click().run()
    assert order_of(owner).prompt == "Three habits"
    with database.session(owner) as session:
        store_value(session, owner, "RUNWAY_API_KEY", "key", secret=True)
    page.radio(key="make_engine").set_value("runway").run()
    page.button(key="make").click().run()
    assert order_of(owner).provider == "runway"
    page.segmented_control(key="make_source").set_value("script").run()
    page.text_area(key="make_script").set_value("Press record.").run()
    page.button(key="make").click().run()
    assert "one clip from a few words" in page.error[0].value


def test_a_storyboard_is_written_moved_and_ordered(
    open_page: Open, settled: Callable[[str], None], owner: Actor, add_asset: Add
) -> None:
    settled("en")
    picture = add_asset("window.png", "image", has_audio=False, duration_seconds=None)
    page = open_page("make")
    page.segmented_control(key="make_source").set_value("storyboard").run()
    page.button(key="make_add").click().run()
    first, second = page.session_state[board.BOARD]
    page.text_input(key=f"text-{first.key}").set_value("The end").run()
    assert page.button(key="make").disabled, "the second scene shows nothing yet"
    page.segmented_control(key=f"shows-{second.key}").set_value("picture").run()
    page.text_area(key=f"say-{second.key}").set_value("Look at the window.").run()
    page.selectbox(key=f"into-{second.key}").set_value("wipe").run()
    page.button(key=f"up-{second.key}").click().run()
    page.button(key="make").click().run()
    assert not page.exception
    order = order_of(owner)
    assert order.storyboard is not None
    shown = [scene.model_dump(exclude_none=True) for scene in order.storyboard.scenes]
    assert shown == [
        {
            "image_asset_id": picture, "duration_seconds": 4.0, "transition": "wipe",
            "narration": "Look at the window.",
        },
        {"text": "The end", "duration_seconds": 4.0},
    ]  # fmt: skip


def test_the_pictures_of_the_styles_are_those_that_are_made(tmp_path: Path) -> None:
    style_stills.make(tmp_path)
    for name in LOOKS:
        kept, made = (
            np.asarray(Image.open(folder / f"{name}.jpg"), dtype=float)
            for folder in (ROOT / "pages" / "making" / "styles", tmp_path)
        )
        assert np.abs(kept - made).mean() < 6, f"{name}: python -m workers.video.style_stills pages/making/styles"
