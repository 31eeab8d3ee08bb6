"""Taking the edit to another editing program: one file for each, by the programs' names."""

from __future__ import annotations

import streamlit as st

from core.i18n import t
from core.models.assets import Asset, TimelineRow
from core.video import exchange
from core.video.exchange.edl import MAX_EVENTS
from core.video.timeline import AspectRatio, Timeline
from pages import shell

ORDER = ("fcpxml", "premiere", "otio", "edl")


def address(row: TimelineRow, formats: tuple[str, ...], ratio: AspectRatio, lang: str) -> str:
    """Where the browser downloads the edit; several formats come in a ZIP."""
    asked = f"format={','.join(formats)}&aspect_ratio={ratio.replace(':', '%3A')}&language={lang}"
    return f"/api/video/timelines/{row.id}/export?{asked}"


def show(viewer: shell.Viewer, asset: Asset, row: TimelineRow, timeline: Timeline) -> None:
    """What can be taken where. The stored edit is exported, with everything the user corrected in it."""
    lang = viewer.lang
    with st.expander(t("exchange.title", lang), icon=":material/ios_share:"):
        st.write(t("exchange.lead", lang, name=shell.plain(asset.name)))
        ratio: AspectRatio = "source"
        if timeline.crops:
            ratio = st.segmented_control(
                t("exchange.shape", lang),
                ("source", *timeline.crops),
                default="source",
                required=True,
                format_func=lambda one: t(f"format_of.{one}", lang),
                key=f"exchange-shape-{row.id}",
            )
        pieces = len(timeline.kept)
        offered = tuple(name for name in ORDER if name != "edl" or pieces <= MAX_EVENTS)
        for start in range(0, len(offered), 2):
            for column, name in zip(st.columns(2), offered[start : start + 2], strict=False):
                with column, st.container(border=True, height="stretch"):
                    st.markdown(f"**{t(f'exchange.program.{name}', lang)}**")
                    st.caption(t(f"exchange.holds.{name}", lang))
                    label = f"{t('common.download', lang)} ({exchange.FORMATS[name].suffix})"
                    shell.download_links([(label, address(row, (name,), ratio, lang))])
        if "edl" not in offered:
            st.caption(t("exchange.too_many_pieces", lang, count=pieces, most=MAX_EVENTS))
        if ratio in timeline.crops and timeline.crops[ratio].mode == "blur":
            st.caption(t("exchange.blur_stays", lang))
        st.caption(t("exchange.stays", lang))
        shell.download_links(
            [
                (t("exchange.all", lang), address(row, offered, ratio, lang)),
                (t("exchange.recording", lang), shell.content_url(asset.id, download=True)),
            ]
        )
