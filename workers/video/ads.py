"""video.ads: an advertising set. Every piece is heard, cut and encoded once, then joined in every wanted order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from core import events, translation
from core.errors import InvalidInput
from core.models.base import uuid7
from core.progress import Progress, part
from core.video.ad_payloads import AdPiece, AdsInput
from core.video.ads import Advert, PieceKey, adverts, file_name, title_of
from core.video.ass import ass_document, check_drawable
from core.video.payloads import AutoReframe, NormalizeLoudness
from core.video.plan import find, music_bed, needs, plan
from core.video.sizes import resolve_targets
from core.video.timeline import OutputTarget, Timeline, Word
from core.video.timeline_edit import clip, output_words
from providers.video.joined import PiecePictures, cut_pictures, cut_sound, join, join_sound
from providers.video.renderer import RenderedOutput, RenderOutput
from providers.video.soundtrack import Soundtrack
from workers.context import JobContext
from workers.registry import task
from workers.video.edit import reframed
from workers.video.music import Music, find_music
from workers.video.outputs import poster_of
from workers.video.source import Source
from workers.video.translation import Translations

LOUDNESS_LUFS = -14.0
AT_ONCE = 4  # encoders beside each other: more would only take memory
HEARD, DECIDED, CUT = 0.3, 0.35, 0.75
PLAIN_STYLE = "clean"  # how a piece's text looks where there are no captions


@dataclass
class _Piece:
    """One piece as decided and, as it is cut, its files. ``pictures`` by size and what stands over them,
    ``translated`` its words by language."""

    source: Source
    timeline: Timeline
    words: tuple[Word, ...]
    wanted: AdPiece
    voice: Path
    pictures: dict[tuple[OutputTarget, str | None], PiecePictures] = field(default_factory=dict)
    translated: dict[str, tuple[Word, ...]] = field(default_factory=dict)

    @property
    def frames(self) -> int:
        return next(iter(self.pictures.values())).frames


@task("video.ads")
def ads(context: JobContext, payload: AdsInput) -> dict[str, Any]:
    """Make every combination of the set (SPEC V6.3).

    One row of ``outputs`` a video: what it is made of (``hook``, ``body``, ``call_to_action``: numbers from 1;
    ``language``, ``aspect_ratio``), and ``joined``: "copied" where its pictures were not encoded a second time. A
    finished video survives a killed worker.
    """
    wanted = adverts(payload)
    first = Source(context, payload.hooks[0].video_asset_id)
    facts = first.facts(part(context.progress, 0.0, 0.01))
    targets = resolve_targets(payload.target_outputs, facts.width, facts.height)
    deciding = part(context.progress, 0.01, HEARD)
    keys = list(dict.fromkeys(key for advert in wanted for key in advert.pieces))
    sources: dict[UUID, Source] = {}
    pieces = {
        key: _decided(context, payload, key, targets, sources, _share(deciding, index, len(keys)))
        for index, key in enumerate(keys)
    }
    engine = _translate(context, payload, list(pieces.values()), part(context.progress, HEARD, DECIDED))
    music = find_music(context, payload.music, part(context.progress, DECIDED, DECIDED + 0.01))
    work = _Set(context, payload, pieces, targets, facts.fps, music, engine)
    rows = work.all(wanted)
    if payload.drafts:
        for advert in wanted:
            _tell(context, title_of(payload, advert), [row for row in rows if row["combination"] == advert.code])
    return {"outputs": rows, "count": len(rows)}


def _translate(
    context: JobContext, payload: AdsInput, pieces: Sequence[_Piece], progress: Progress
) -> Translations | None:
    """Captions in every language of the set that is not spoken; None where nothing was translated."""
    translations = Translations(context, payload.translation_provider)
    wanted = [
        (piece, language)
        for piece in pieces
        if piece.words
        for language in translation.others(piece.timeline.language, payload.languages)
    ]
    for piece, language in wanted:
        translations.require(piece.timeline.language, [language])
    for index, (piece, language) in enumerate(wanted):
        piece.translated[language] = translations.words(
            piece.source.asset.sha256, piece.words, piece.timeline.language, language,
            _share(progress, index, len(wanted)),
        )  # fmt: skip
    return translations if wanted else None


def _share(progress: Progress, index: int, count: int) -> Progress:
    return part(progress, index / count, (index + 1) / count)


def _decided(
    context: JobContext,
    payload: AdsInput,
    key: PieceKey,
    targets: Sequence[OutputTarget],
    sources: dict[UUID, Source],
    progress: Progress,
) -> _Piece:
    role, index = key
    wanted = payload.pieces(role)[index]
    if wanted.video_asset_id not in sources:
        sources[wanted.video_asset_id] = Source(context, wanted.video_asset_id, payload.speech_provider)
    source = sources[wanted.video_asset_id]
    facts = source.facts(part(progress, 0.0, 0.02))
    end = facts.seconds if wanted.end is None else wanted.end
    if end > facts.seconds + 0.5 or end - wanted.start < 0.5:
        raise InvalidInput(
            f"A piece of “{source.asset.name}” ends after the recording does.", f"It lasts {facts.seconds:.1f} seconds."
        )
    captioned = payload.style is not None and source.asset.has_audio
    needed = needs(payload.operations, captions=captioned, has_audio=source.asset.has_audio)
    measured = source.measure(needed, payload.source_language, part(progress, 0.02, 0.8))
    timeline = clip(plan(facts, payload.operations, measured), wanted.start, end)
    timeline = reframed(source, facts, timeline, targets, payload.operations, AutoReframe(), part(progress, 0.8, 1.0))
    voice = context.folder / f"{role}-{index}.f32"
    return _Piece(source, timeline, output_words(timeline) if captioned else (), wanted, voice)


class _Set:
    """The videos of one set: cut what is still wanted, join it, keep each."""

    def __init__(
        self,
        context: JobContext,
        payload: AdsInput,
        pieces: dict[PieceKey, _Piece],
        targets: Sequence[OutputTarget],
        rate: Fraction,
        music: Music | None,
        engine: Translations | None,
    ) -> None:
        self._context = context
        self._payload = payload
        self._pieces = pieces
        self._targets = targets
        self._rate = rate
        self._music = music
        self._translations = engine
        loudness = find(payload.operations, NormalizeLoudness)
        self._loudness = loudness.target_lufs if loudness else LOUDNESS_LUFS
        self._sounds: dict[tuple[PieceKey, ...], Soundtrack] = {}

    def all(self, wanted: Sequence[Advert]) -> list[dict[str, Any]]:
        """The rows of all videos, shapes of one content beside each other."""
        files = [(advert, target) for advert in wanted for target in self._targets]
        open_ones = [(advert, target) for advert, target in files if self._kept(advert, target) is None]
        self._cut(open_ones, part(self._context.progress, DECIDED, CUT))
        joining = part(self._context.progress, CUT, 0.98)
        return [
            self._one(advert, target, _share(joining, index, len(files)))
            for index, (advert, target) in enumerate(files)
        ]  # fmt: skip

    def _kept(self, advert: Advert, target: OutputTarget) -> dict[str, Any] | None:
        kept: dict[str, Any] | None = self._context.checkpoints.get(self._key(advert, target))
        return kept

    def _key(self, advert: Advert, target: OutputTarget) -> str:
        return f"ad-{advert.code}-{target.aspect_ratio}-{target.width}x{target.height}"

    def _over(self, piece: _Piece, language: str, target: OutputTarget) -> str | None:
        """What stands over a piece's pictures, as ASS; None where nothing does."""
        title = piece.wanted.text.get(language, "").strip()
        words = _spoken_in(piece, language)
        if not title and not words:
            return None
        check_drawable(words, title)
        seconds = float(piece.timeline.kept_frames / piece.timeline.rate)
        style = self._payload.style or PLAIN_STYLE
        return ass_document(
            words, style, target.width, target.height, target.aspect_ratio, title=title, seconds=seconds
        )  # fmt: skip

    def _cut(self, files: Iterable[tuple[Advert, OutputTarget]], progress: Progress) -> None:
        """Every piece's sound once, and its pictures once for each size and text over them that is still wanted."""
        looks: dict[PieceKey, dict[tuple[OutputTarget, str | None], None]] = {}
        for advert, target in files:
            for key in advert.pieces:
                over = self._over(self._pieces[key], advert.language, target)
                looks.setdefault(key, {})[(target, over)] = None
        for index, (key, every) in enumerate(looks.items()):
            piece, within = self._pieces[key], _share(progress, index, len(looks))
            info = piece.source.info
            channels = info.channels if info.has_audio else 0
            cut_sound(
                piece.source.path, piece.timeline, piece.voice, channels=channels,
                progress=part(within, 0.0, 0.1, "stage.sound"),
            )  # fmt: skip
            wanted = list(every)
            for start in range(0, len(wanted), AT_ONCE):
                group = wanted[start : start + AT_ONCE]
                outputs = [
                    RenderOutput(target, over, self._context.folder / f"{key[0]}-{key[1]}-{start + place}.mp4")
                    for place, (target, over) in enumerate(group)
                ]
                share = part(within, 0.1 + 0.9 * start / len(wanted), 0.1 + 0.9 * (start + len(group)) / len(wanted))
                made = cut_pictures(
                    piece.source.path, piece.timeline, outputs, info=info, rate=self._rate, progress=share
                )  # fmt: skip
                piece.pictures.update(zip(group, made, strict=True))

    def _one(self, advert: Advert, target: OutputTarget, progress: Progress) -> dict[str, Any]:
        kept = self._kept(advert, target)
        if kept is None:
            kept = self._made(advert, target, progress)
            self._context.checkpoint(self._key(advert, target), kept)
        else:
            for asset in kept["assets"]:
                self._context.adopt(asset)
            progress(1.0)
        return dict(kept["row"])

    def _made(self, advert: Advert, target: OutputTarget, progress: Progress) -> dict[str, Any]:
        pieces = [self._pieces[key] for key in advert.pieces]
        name = sha256(self._key(advert, target).encode()).hexdigest()[:12]
        folder = self._context.folder / name
        folder.mkdir()
        sound = self._sound(advert.pieces, part(progress, 0.0, 0.6, "stage.sound"))
        pictures = [piece.pictures[(target, self._over(piece, advert.language, target))] for piece in pieces]
        made, copied = join(pictures, self._rate, sound, folder / "ad.mp4", progress=part(progress, 0.6, 1.0))
        return self._staged(advert, target, pieces, made, copied)

    def _sound(self, keys: tuple[PieceKey, ...], progress: Progress) -> Soundtrack:
        """The soundtrack of some pieces in a row: one for all shapes and languages."""
        if keys not in self._sounds:
            folder = self._context.folder / ("sound-" + "-".join(f"{role}{index}" for role, index in keys))
            folder.mkdir()
            bed = None
            if self._music is not None and self._payload.music is not None:
                bed = music_bed(self._music.asset_id, self._payload.music, seamless=self._music.seamless)
            self._sounds[keys] = join_sound(
                [(self._pieces[key].voice, self._pieces[key].frames) for key in keys], self._rate, folder,
                music=self._music.path if self._music else None, bed=bed, target=self._loudness, progress=progress,
            )  # fmt: skip
        return self._sounds[keys]

    def _staged(
        self, advert: Advert, target: OutputTarget, pieces: Sequence[_Piece], made: RenderedOutput, copied: bool
    ) -> dict[str, Any]:
        context, name = self._context, file_name(self._payload, advert, target)
        parents: dict[UUID | str, str] = {piece.source.asset.id: "source" for piece in pieces}
        licences = [piece.source.asset.licence for piece in pieces]
        ai_generated = any(piece.source.asset.ai_generated for piece in pieces)
        if self._music is not None:
            parents[self._music.asset_id] = "music"
            licences.append(self._music.licence)
            ai_generated = ai_generated or self._music.ai_generated
        translated = any(advert.language in piece.translated for piece in pieces)
        if translated and self._translations is not None:
            licences.append(self._translations.engine.licence)
        parts = {
            "hook": advert.hook + 1,
            "body": advert.body + 1,
            "call_to_action": None if advert.call is None else advert.call + 1,
        }
        language = advert.language or pieces[0].timeline.language
        poster = poster_of(made.path, made.duration_seconds, made.width, made.height)
        video = context.stage_asset(
            made.path, kind="video", name=f"{name}.mp4", parents=parents,
            metadata={**parts, "aspect_ratio": target.aspect_ratio, "language": language},
            duration_seconds=made.duration_seconds, width=made.width, height=made.height, fps=str(self._rate),
            has_audio=True, loudness_lufs=made.loudness.lufs, licence="; ".join(dict.fromkeys(licences)),
            ai_generated=ai_generated,
        )  # fmt: skip
        still = context.stage_asset(
            poster, kind="image", name=f"{name}.jpg", parents={video.asset_id: "poster"}, hidden=True
        )
        row = {
            "asset_id": video.asset_id,
            "title": title_of(self._payload, advert),
            "combination": advert.code,
            **parts,
            "language": language,
            "aspect_ratio": target.aspect_ratio,
            "width": made.width,
            "height": made.height,
            "duration_seconds": round(made.duration_seconds, 3),
            "frames": made.frames,
            "loudness_lufs": made.loudness.lufs,
            "poster_asset_id": still.asset_id,
            "joined": "copied" if copied else "encoded",
        }
        return {"assets": [video.as_dict(), still.as_dict()], "row": row}


def _spoken_in(piece: _Piece, language: str) -> Sequence[Word]:
    """A piece's captions in one language ("": as spoken)."""
    return piece.translated.get(language, piece.words)


def _tell(context: JobContext, title: str, rows: list[dict[str, Any]]) -> None:
    """One draft for one combination in all its shapes."""
    episode_id = str(uuid7())
    for row in rows:
        row["episode_id"] = episode_id
    context.emit(
        events.VIDEO_GENERATED,
        {
            "asset_id": rows[0]["asset_id"],
            "title": title,
            "kind": "ad",
            "language": rows[0]["language"] or None,
            "episode_id": episode_id,
            "poster_asset_id": rows[0]["poster_asset_id"],
            "outputs": [{"asset_id": row["asset_id"], "aspect_ratio": row["aspect_ratio"]} for row in rows],
        },
    )
