"""Put a podcast episode together: the file, the item of its feed, its chapters (SPEC M7)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.errors import InvalidInput, UnsupportedMedia
from core.i18n import t
from core.models.assets import Asset
from core.music import feed
from core.music import podcast as decisions
from core.music.podcast_payloads import Chapter, PodcastInput, PodcastTrack
from core.progress import Progress, part
from core.recordings import RECORDING_MADE
from core.storage import require_space, safe_name
from core.video.plan import Measured, Needs, needs
from core.video.text import has_thai
from core.video.timeline import Word
from providers.audio import podcast as engine
from providers.audio import raw, tags
from providers.audio.decode import STUDIO_RATE
from providers.audio.mastering import master
from providers.audio.meter import loudness
from workers.context import JobContext
from workers.registry import task
from workers.video.source import Source

# Each track as it was, cleaned and cut; then the buses, the mix, its peaks and what the limiter writes.
_FILES, _MIXED_FILES = 3, 5


@task("audio.podcast")
def podcast(context: JobContext, payload: PodcastInput) -> dict[str, Any]:
    """One audio asset with its feed's item and its chapters as documents beside it."""
    assets = [context.asset(track.asset_id) for track in payload.tracks]
    for asset in assets:
        if not asset.has_audio:
            raise UnsupportedMedia(f"“{asset.name}” has no sound.")
    require_space(round(sum(asset.duration_seconds or 0.0 for asset in assets) * raw.BYTES_PER_SECOND * _FILES))
    picture = _cover(context, payload)
    prepared = []
    for index, (track, asset) in enumerate(zip(payload.tracks, assets, strict=True)):
        within = part(context.progress, 0.7 * index / len(assets), 0.7 * (index + 1) / len(assets))
        prepared.append(_prepare(context, payload, track, asset, index, within))
    lengths = [seconds for _, seconds, _, _ in prepared]
    places = decisions.arranged(payload.tracks, lengths, decisions.crossfade_seconds(payload))
    parts = [
        engine.Part(
            path, placed, lufs, decisions.music_gain_db(track) if track.role == "music" else track.gain_db,
            music=track.role == "music",
        )
        for track, placed, (path, _, lufs, _) in zip(payload.tracks, places, prepared, strict=True)
    ]  # fmt: skip
    total = max(placed.end for placed in places)
    require_space(round(total * raw.BYTES_PER_SECOND * _MIXED_FILES))
    chapters = _chapters(payload, places, [words for *_, words in prepared], total)
    mixing = part(context.progress, 0.7, 0.78)
    mono = payload.channels == "mono"
    signal = engine.assemble(parts, decisions.duck_db(payload), context.folder, mono=mono, progress=mixing)
    described = tags.ffmetadata(_tags(payload), chapters, total)
    target = context.folder / f"episode.{payload.format}"
    channels = 1 if mono else 2
    made = master(
        signal, context.folder, target_lufs=decisions.loudness_target(payload),
        ceiling_dbtp=decisions.true_peak(payload), channels=channels,
        finish=lambda path, progress: tags.encode(
            path, target, payload.format, channels, described, picture, progress
        ),
        progress=part(context.progress, 0.78, 0.98),
    )  # fmt: skip
    used = [context.asset(asset.id) for asset in assets]  # deleted meanwhile: not found
    episode = {
        "chapters": [chapter.model_dump(mode="json") for chapter in chapters],
        "duration_seconds": round(total, 3),
        "loudness_lufs": made.loudness.lufs,
        "true_peak_dbtp": made.loudness.true_peak,
    }
    about = {**episode, **payload.model_dump(mode="json", include={"title", "author", "show", "number", "show_notes"})}
    cover = [context.asset(payload.cover_asset_id)] if payload.cover_asset_id else []
    name = safe_name(payload.title.replace("/", "-"))
    staged = context.stage_asset(
        made.path,
        kind="audio",
        name=f"{name}.{payload.format}",
        parents={**{one.id: "cover" for one in cover}, **_roles(payload, used)},
        duration_seconds=round(total, 3),
        has_audio=True,
        loudness_lufs=made.loudness.lufs,
        licence="; ".join(dict.fromkeys(one.licence for one in [*used, *cover])),
        ai_generated=any(one.ai_generated for one in [*used, *cover]),
        metadata={"podcast": about},
    )
    documents = _documents(context, payload, chapters, staged.asset_id, staged.name, staged.size_bytes, total, name)
    context.emit(RECORDING_MADE, {"asset_id": staged.asset_id})
    return {
        "audio_asset_id": staged.asset_id,
        **documents,
        **episode,
        "tracks": [
            {"asset_id": str(track.asset_id), "start": round(placed.start, 3), "end": round(placed.end, 3)}
            for track, placed in zip(payload.tracks, places, strict=True)
        ],
    }


def _prepare(
    context: JobContext, payload: PodcastInput, track: PodcastTrack, asset: Asset, index: int, progress: Progress
) -> tuple[Path, float, float | None, list[Word]]:
    """A track cleaned and cut: its raw file, length, loudness and the words that stay in it, in its own seconds."""
    source = Source(context, asset.id, payload.speech_provider)
    heard = Measured()
    if track.role == "voice":
        needed = needs(decisions.cutting(payload.operations), captions=payload.chapters == "auto")
        if needed != Needs():
            heard = source.measure(needed, payload.language, part(progress, 0.0, 0.5))
    decoded = context.folder / f"decoded-{index}.f32"
    signal = raw.decode(
        source.path, decoded, duration_seconds=asset.duration_seconds or 0.0, on_clock=True,
        progress=part(progress, 0.5, 0.6),
    )  # fmt: skip
    spans = decisions.kept_spans(track, len(signal) / STUDIO_RATE, payload.operations, heard)
    if track.role == "voice":
        signal = engine.clean(signal, payload.operations, context.folder, part(progress, 0.6, 0.95))
    kept = context.folder / f"track-{index}.f32"
    signal = engine.cut(signal, spans, kept)
    for left in (decoded, *context.folder.glob("clean-*.f32")):
        left.unlink()
    words = decisions.kept_words(heard.words, spans)
    progress(1.0)
    return kept, len(signal) / STUDIO_RATE, loudness(signal), words


def _chapters(
    payload: PodcastInput, places: list[decisions.Placed], words: list[list[Word]], total: float
) -> list[Chapter]:
    if payload.chapters != "auto":
        return decisions.checked_chapters(payload.chapters, total)
    spoken = sorted(
        (
            word.model_copy(update={"start": word.start + placed.start, "end": word.end + placed.start})
            for placed, mine in zip(places, words, strict=True)
            for word in mine
        ),
        key=lambda word: word.start,
    )
    lang = "th" if payload.language.startswith("th") or has_thai(payload.title) else "en"
    ads = [
        (placed.start, placed.end, track.title or t("podcast.chapter_ad", lang))
        for track, placed in zip(payload.tracks, places, strict=True)
        if track.role == "ad"
    ]
    return decisions.automatic_chapters(spoken, total, ads, opening=t("podcast.chapter_opening", lang))


def _tags(payload: PodcastInput) -> dict[str, str]:
    """By FFmpeg's common names; the muxers know what each format calls them."""
    return {
        "title": payload.title,
        "artist": payload.author,
        "album": payload.show,
        "track": str(payload.number or ""),
        "genre": "Podcast",
        "date": f"{payload.published_at:%Y-%m-%d}" if payload.published_at else "",
        "comment": payload.show_notes,
    }


def _cover(context: JobContext, payload: PodcastInput) -> Path | None:
    if payload.cover_asset_id is None:
        return None
    asset = context.asset(payload.cover_asset_id)
    if asset.kind != "image":
        raise InvalidInput(f"“{asset.name}” is not a picture.", "Choose a picture as the cover.")
    return tags.cover(context.asset_path(asset.id), context.folder / "cover.jpg")


def _roles(payload: PodcastInput, used: list[Asset]) -> dict[Any, str]:
    """Each sound's role in the lineage; one that stands in several roles is told by its first."""
    found: dict[Any, str] = {}
    for track, asset in zip(payload.tracks, used, strict=True):
        found.setdefault(asset.id, track.role)
    return found


def _documents(
    context: JobContext,
    payload: PodcastInput,
    chapters: list[Chapter],
    episode_id: str,
    file_name: str,
    size_bytes: int,
    seconds: float,
    name: str,
) -> dict[str, str]:
    made: dict[str, str] = {}
    chapters_name = f"{name} chapters.json" if chapters else None
    if chapters_name is not None:
        path = context.folder / "chapters.json"
        path.write_text(feed.chapters_json(chapters), encoding="utf-8")
        made["chapters_asset_id"] = context.stage_asset(
            path, kind="document", name=chapters_name, parents={episode_id: "chapters"}
        ).asset_id
    path = context.folder / "item.xml"
    path.write_text(
        feed.item(
            payload, chapters, file_name=file_name, size_bytes=size_bytes, seconds=seconds,
            identifier=payload.guid or episode_id, chapters_name=chapters_name, made_at=datetime.now(UTC),
        ),
        encoding="utf-8",
    )  # fmt: skip
    made["document_asset_id"] = context.stage_asset(
        path, kind="document", name=f"{name} feed item.xml", parents={episode_id: "feed"}
    ).asset_id
    return made
