"""Words of a recording in another language, translated once for each content, language and engine."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from core import translation
from core.hosted import Service
from core.preferences import stored_value
from core.progress import Progress, part
from core.settings import get_settings
from core.video.sentences import sentences
from core.video.timeline import Word
from core.video.translated import translated_words
from providers.translation.base import TranslatorBase
from workers.context import JobContext


class Translations:
    """Translates for one job; the engine is loaded when the first sentence needs it."""

    def __init__(self, context: JobContext, provider: translation.Provider) -> None:
        self._context = context
        self._provider = provider
        self._engine: TranslatorBase | None = None

    def require(self, source: str, targets: Sequence[str]) -> None:
        """Refuse before any work what cannot be done; raises NotConfigured."""
        if targets:
            translation.require_ready(
                self._provider, has_key=bool(self._key()), source=source, targets=list(targets)
            )  # fmt: skip

    @property
    def engine(self) -> TranslatorBase:
        """The engine of this job's provider."""
        if self._engine is None:
            if self._provider == "hosted":
                from providers.translation.chat import ChatTranslator

                settings = get_settings()
                self._engine = ChatTranslator(
                    Service(settings.translation_api_base, settings.translation_api_model, self._key())
                )
            else:
                from providers.translation.m2m100 import M2M100Translator

                self._engine = M2M100Translator(translation.model_folder())
        return self._engine

    def words(self, sha: str, words: Sequence[Word], source: str, target: str, progress: Progress) -> tuple[Word, ...]:
        """``words`` in the language ``target``, in their own time. ``sha`` is the content they were heard in."""
        spoken = sentences(words)
        if not spoken:
            return ()
        texts = [sentence.text for sentence in spoken]
        name = self._engine_name()
        told = "\n".join([name, source, target, *texts])
        parameters = sha256(told.encode()).hexdigest()[:32]
        found = self._context.analysis(sha, "translation", parameters)
        if found is None:
            made = self.engine.translate(
                texts, translation.base_of(source), translation.base_of(target), part(progress, 0, 1, "stage.translate")
            )  # fmt: skip
            found = {"texts": made}
            self._context.store_analysis(sha, "translation", found, parameters)
        progress(1.0)
        return translated_words(spoken, words, found["texts"])

    def _engine_name(self) -> str:
        return (
            f"hosted:{get_settings().translation_api_model}" if self._provider == "hosted" else translation.M2M100.name
        )

    def _key(self) -> str:
        if self._provider != "hosted":
            return ""
        with self._context.session() as session:
            return stored_value(session, self._context.owner_id, translation.HOSTED_KEY) or ""
