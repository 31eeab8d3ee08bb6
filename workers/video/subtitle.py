"""video.subtitle: what is said, as transcript and as caption files, burnt in if wanted."""

from __future__ import annotations

from typing import Any

from core import translation
from core.progress import part
from core.video.payloads import AddSubtitle, SubtitleInput
from core.video.plan import Measured, Needs, plan
from core.video.sentences import sentences
from core.video.sizes import TargetOutput
from core.video.spoken import words_of
from core.video.timeline import Word
from workers.context import JobContext
from workers.registry import task
from workers.video.edit import announce
from workers.video.outputs import Translated, caption_files, render_outputs
from workers.video.source import Source
from workers.video.translation import Translations


@task("video.subtitle")
def subtitle(context: JobContext, payload: SubtitleInput) -> dict[str, Any]:
    """Transcript and subtitle files of a recording, in further languages too (SPEC V3.1, V3.2, V3.3, V3.5).

    A video whose words an edit knows is not listened to again: what its user corrected there stands here too. Naming
    another language than the edit's has it heard anew.

    Raises:
        NotConfigured: no speech model knows the language, or nothing here translates.
    """
    source = Source(context, payload.video_asset_id, payload.speech_provider)
    measured = _known(context, source, payload.source_language)
    if measured is None:
        measured = source.measure(Needs(words=True), payload.source_language, part(context.progress, 0.0, 0.5))
    spoken = measured.language
    others = translation.others(spoken, payload.target_languages)
    translations = Translations(context, payload.translation_provider)
    translations.require(spoken, others)
    by_language = {spoken: measured.words}
    for index, language in enumerate(others):
        within = part(context.progress, 0.5 + 0.2 * index / len(others), 0.5 + 0.2 * (index + 1) / len(others))
        by_language[language] = translations.words(source.asset.sha256, measured.words, spoken, language, within)
    name = source.asset.name.rsplit(".", 1)[0]
    size = (source.asset.width or 1920, source.asset.height or 1080)
    subtitles: dict[str, dict[str, str]] = {}
    for language, words in by_language.items():
        files = caption_files(
            context,
            words,
            language,
            payload.formats,
            context.folder,
            name=name,
            parent=source.asset.id,
            style=payload.style,
            size=size,
            translated=None if language == spoken else Translated(spoken, translations.engine),
        )
        subtitles[language] = {str(file.metadata["format"]): file.asset_id for file in files}
    result: dict[str, Any] = {"transcript": transcript_of(measured), "subtitles": subtitles, "outputs": []}
    if payload.burn_in:
        shown = spoken if payload.burn_in_language == "auto" else payload.burn_in_language
        shown = shown if shown in by_language else spoken
        facts = source.facts(part(context.progress, 0.7, 0.72))
        timeline = plan(facts, (AddSubtitle(style=payload.style),), Measured(by_language[shown], shown))
        target = TargetOutput(aspect_ratio="source").pixels(facts.width, facts.height)
        finished = render_outputs(
            context, source, timeline, [target], None, name=name, progress=part(context.progress, 0.72, 0.98)
        )
        result["outputs"] = announce(context, finished, title=name, language=shown)
    return result


def _known(context: JobContext, source: Source, asked: str) -> Measured | None:
    with context.session() as session:
        spoken = words_of(session, source.asset)
    if spoken is None or (asked != "auto" and asked.split("-")[0] != spoken.language.split("-")[0]):
        return None
    return Measured(spoken.words, spoken.language)


def transcript_of(measured: Measured) -> dict[str, Any]:
    """``{language, segments, words}`` as SPEC H wants it; segments are sentences."""

    def row(word: Word) -> dict[str, Any]:
        return {"word": word.word, "start": word.start, "end": word.end, "probability": word.probability}

    return {
        "language": measured.language,
        "segments": [
            {"start": sentence.start, "end": sentence.end, "text": sentence.text}
            for sentence in sentences(measured.words)
        ],
        "words": [row(word) for word in measured.words],
    }
