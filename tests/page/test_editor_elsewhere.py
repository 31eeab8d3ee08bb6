"""The Video Editor's ways out: the edit for other programs (V2.10)."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import UUID

from streamlit.testing.v1 import AppTest

from core import database
from core.i18n import t
from core.models.assets import TimelineRow
from core.security import Actor
from core.video.timeline import CropTrack, Piece, Timeline
from tests.page.conftest import words
from tests.page.test_pages import _project

Open = Callable[..., AppTest]


def exports(test: AppTest) -> list[str]:
    """The addresses of the download links that lead to an export, in order."""
    found = re.findall(r'href="([^"]*/export\?[^"]*)"', "\n".join(one.proto.body for one in test.get("html")))
    return [address.replace("&amp;", "&") for address in found]


def test_the_programs_are_offered_by_name_with_the_chosen_shape(
    open_page: Open, settled: Callable[[str], None], owner: Actor, add_asset: Callable[..., UUID]
) -> None:
    language = "th"
    settled(language)
    project_id = _project(owner, add_asset(), with_timeline=True)
    with database.session(owner) as session:
        row = session.query(TimelineRow).one()
        edit = Timeline.model_validate(row.document).model_copy(update={"crops": {"9:16": CropTrack(mode="blur")}})
        row.document = edit.model_dump(mode="json")
        base = f"/api/video/timelines/{row.id}/export?format="
    test = open_page("video", project=str(project_id))
    for name in ("fcpxml", "premiere", "otio", "edl"):
        assert t(f"exchange.program.{name}", language) in words(test)
        assert f"{base}{name}&aspect_ratio=source&language={language}" in exports(test)
    assert exports(test)[-1] == f"{base}fcpxml,premiere,otio,edl&aspect_ratio=source&language={language}"
    assert t("exchange.blur_stays", language) not in words(test)
    test.segmented_control(key=f"exchange-shape-{row.id}").select("9:16").run()
    assert not test.exception
    assert all("aspect_ratio=9%3A16" in address for address in exports(test))
    assert t("exchange.blur_stays", language) in words(test)


def test_a_cut_list_is_not_offered_for_more_pieces_than_it_holds(
    open_page: Open, settled: Callable[[str], None], owner: Actor, add_asset: Callable[..., UUID]
) -> None:
    settled("en")
    project_id = _project(owner, add_asset(), with_timeline=True)
    with database.session(owner) as session:
        row = session.query(TimelineRow).one()
        edit = Timeline.model_validate(row.document)
        pieces = tuple(Piece(start_frame=at, end_frame=at + 1, kept=True, reason="speech") for at in range(1000))
        row.document = edit.model_copy(update={"pieces": tuple(pieces), "duration_frames": 1000}).model_dump(
            mode="json"
        )
    test = open_page("video", project=str(project_id))
    assert t("exchange.too_many_pieces", "en", count=1000, most=999) in words(test)
    assert not any("edl" in address for address in exports(test))
