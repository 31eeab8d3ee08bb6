"""Drop zone for recordings of any size: tus 1.0 straight to the API, resumed after a reload or a restart.

The bytes never pass through Streamlit. A file that was interrupted is recognised by name, size and date when it is
chosen again and continues where the server stands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core.i18n import file_size
from pages.components import labels, nothing, register

_mount = register("upload")


@dataclass(frozen=True)
class Arrived:
    """What came of one drop: the assets in the order they were dropped, and the files that were refused, as (name,
    sentence)."""

    asset_ids: list[str]
    refused: list[tuple[str, str]]


def upload(
    lang: str,
    *,
    key: str,
    accept: str = "video/*,audio/*,.mkv,.mov",
    multiple: bool = True,
    max_bytes: int,
    hint: str = "",
    invitation: str = "",
    on_finish: Callable[[], None] = nothing,
) -> Arrived | None:
    """Show the zone; answers once what arrived, when nothing is under way any more, else None. ``hint`` says what may
    be dropped (``{size}`` is the limit) where it is not recordings, and ``invitation`` invites to drop it.
    """
    own = {name: text for name, text in (("hint", hint), ("drop_many", invitation)) if text}
    data = {
        "key": key,
        "lang": lang,
        "words": labels("upload", lang) | labels("format", lang) | own,
        "accept": accept,
        "multiple": multiple,
        "max_bytes": max_bytes,
        "max_size": size_limit(max_bytes),
    }
    result: Mapping[str, Any] = _mount(key=key, data=data, on_finished_change=on_finish)
    finished = result.get("finished")
    if not isinstance(finished, Mapping) or not finished.get("arrived"):
        return None
    refused = [(str(one["name"]), str(one["why"])) for one in finished.get("refused") or []]
    return Arrived([str(asset_id) for asset_id in finished["arrived"]], refused)


def size_limit(size_bytes: int) -> str:
    """The limit as it was set: whole gibibytes read as "10 GB"."""
    gigabytes, rest = divmod(size_bytes, 1024**3)
    return f"{gigabytes} GB" if gigabytes and not rest else file_size(size_bytes)
