"""Voice-over in the Music Lab: what can be ordered, and that Thai asks for a voice that knows it (SPEC M8)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from core import database, voices
from core.models.jobs import Job
from core.preferences import store_value
from core.security import Actor
from core.speech import HOSTED_KEY
from tests.page.conftest import Open, words

THAI = "สวัสดีครับ วันนี้เราจะทำอาหารไทย"


def orders(owner: Actor) -> list[dict[str, Any]]:
    with database.session(owner) as session:
        return list(session.scalars(select(Job.payload).where(Job.kind == "audio.speech")))


@pytest.mark.parametrize("language", ["en", "th"])
def test_a_text_is_ordered_and_thai_only_from_a_voice_that_knows_it(
    open_page: Open, settled: Callable[[str], None], owner: Actor, language: str
) -> None:
    settled(language)
    page = open_page("music")
    assert page.button(key="speak").disabled
    page.text_area(key="voice_text").set_value(THAI).run()
    assert page.button(key="speak").disabled
    assert HOSTED_KEY in page.warning[0].value.replace("\\", "")
    with database.session(owner) as session:
        store_value(session, owner, HOSTED_KEY, "sk-1", secret=True)
    page.run()
    assert page.button(key="speak").disabled
    page.selectbox(key="voice_name").set_value("hosted:coral").run()
    page.button(key="speak").click().run()
    page.text_area(key="voice_text").set_value("Press record.").run()
    page.selectbox(key="voice_name").set_value(voices.BUNDLED).run()
    page.slider(key="voice_pace").set_value(1.2).run()
    page.button(key="speak").click().run()
    assert not page.exception
    common = {"language": "auto", "name": None}
    assert sorted(orders(owner), key=lambda one: one["speed"]) == [
        {"text": THAI, "voice": "hosted:coral", "speed": 1.0, **common},
        {"text": "Press record.", "voice": voices.BUNDLED, "speed": 1.2, **common},
    ]


def test_voices_are_offered_and_voice_overs_are_no_songs(
    open_page: Open, settled: Callable[[str], None], owner: Actor, add_asset: Callable[..., UUID]
) -> None:
    settled("en")
    add_asset("Said.wav", "audio", details={"voice": voices.BUNDLED}, ai_generated=True)
    page = open_page("music")
    shown = words(page).replace("\\", "")
    assert "Your voice-overs" in shown
    assert shown.count("Said.wav") == 2, "its name and the pointer's, among the voice-overs alone"
    assert "No music yet" in shown
    page.button(key="voice-en_GB-alba-medium").click().run()
    with database.session(owner) as session:
        assert session.scalars(select(Job.payload).where(Job.kind == "models.download")).one() == {
            "name": "en_GB-alba-medium"
        }
