"""The edit for other editing programs (SPEC V2.10): files that hold its cuts and name the recording they cut.

Nothing is rendered and no media is read. What a program cannot be told (ducking, noise reduction, loudness, the look of
captions) stays behind; docs/decisions.md says what each format carries.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import PurePath

from core.errors import InvalidInput
from core.i18n import has, number, t
from core.models.assets import Asset
from core.storage import safe_name
from core.video.caption_styles import CaptionRules
from core.video.captions import build_captions, srt
from core.video.exchange import edl, fcpxml, otio, premiere
from core.video.exchange.sequence import Sequence, SourceFile, sequence_of
from core.video.timeline import AspectRatio, Piece, Timeline
from core.video.timeline_edit import output_words


@dataclass(frozen=True)
class Format:
    """One kind of file: what it is asked for by, its ending and type, and what writes it."""

    name: str
    suffix: str
    mime_type: str
    write: Callable[[Sequence], str]


FORMATS = {
    one.name: one
    for one in (
        Format("otio", ".otio", "application/vnd.pixar.opentimelineio+json", otio.write),
        Format("fcpxml", ".fcpxml", "application/xml", fcpxml.write),
        Format("premiere", ".xml", "application/xml", premiere.write),
        Format("edl", ".edl", "text/plain; charset=utf-8", edl.write),
    )
}


@dataclass(frozen=True)
class Exported:
    """A file to hand out."""

    name: str
    mime_type: str
    content: bytes


def source_file(asset: Asset) -> SourceFile:
    """What programs must know of the recording, from what was measured when it arrived and when it was prepared."""
    known = {**(asset.details.get("probe") or {}), **(asset.details.get("measured") or {})}
    channels, sample_rate = known.get("channels") or 2, known.get("sample_rate") or 48_000
    return SourceFile(asset.name, asset.has_audio, int(channels), int(sample_rate))


def wanted_formats(text: str) -> list[str]:
    """The formats of a list with commas, each once.

    Raises:
        InvalidInput: none is named, or one that the studio does not write.
    """
    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not names or not set(names) <= set(FORMATS):
        raise InvalidInput("The studio does not write this format.", f"It writes {', '.join(FORMATS)}.")
    return names


def describe_in(lang: str) -> Callable[[tuple[Piece, ...], float], str]:
    """The words of a marker: why something was removed before it, and how much."""

    def describe(pieces: tuple[Piece, ...], seconds: float) -> str:
        reasons = dict.fromkeys(piece.reason for piece in pieces)
        told = [t(f"timeline.reason.{reason}", lang) for reason in reasons if has(f"timeline.reason.{reason}")]
        return t("exchange.removed", lang, reasons=", ".join(told), seconds=number(round(seconds, 2), lang))

    return describe


def export(
    timeline: Timeline,
    file: SourceFile,
    formats: Iterable[str],
    *,
    name: str = "",
    ratio: AspectRatio = "source",
    lang: str = "en",
) -> Exported:
    """The edit in each of ``formats`` (names of :data:`FORMATS`): one file as it is, several in a ZIP, with what is
    said as SRT beside them.

    Raises:
        InvalidInput: a format cannot hold this edit.
    """
    title = name.strip() or PurePath(file.name).stem
    stem = safe_name(title.replace("/", "-").replace("\\", "-"), fallback="edit")
    sequence = sequence_of(timeline, file, name=title, describe=describe_in(lang), ratio=ratio)
    made = [
        Exported(f"{stem}{one.suffix}", one.mime_type, one.write(sequence).encode("utf-8"))
        for one in map(FORMATS.__getitem__, formats)
    ]
    if len(made) == 1:
        return made[0]
    words = output_words(timeline)
    if words:
        text = srt(build_captions(words, CaptionRules()))
        made.append(Exported(f"{stem}.srt", "application/x-subrip", text.encode("utf-8")))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for one in made:
            archive.writestr(one.name, one.content)
    return Exported(f"{stem}.zip", "application/zip", packed.getvalue())
