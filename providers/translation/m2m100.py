"""M2M-100 on this machine through CTranslate2 (Fan et al. 2020, "Beyond English-Centric Multilingual Machine
Translation"): from any of a hundred languages to any other, in 8 bit on the CPU.

The source is its language's token, SentencePiece pieces and ``</s>``; the target is forced to begin with its language's
token (CTranslate2's guide, "M2M-100").
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.errors import EngineFailed
from core.progress import Progress, no_progress
from core.translation import M2M100
from providers.translation.base import TranslatorBase

_AT_ONCE = 16
_BEAM = 4
_LONGEST = 256  # pieces of one sentence's translation


class M2M100Translator(TranslatorBase):
    """The model in ``folder`` (:data:`core.translation.M2M100`)."""

    name = M2M100.name
    licence = M2M100.licence

    def __init__(self, folder: Path) -> None:
        import ctranslate2
        import sentencepiece

        self._pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "sentencepiece.bpe.model"))
        self._model = ctranslate2.Translator(str(folder), device="cpu", compute_type="int8")

    def translate(
        self, sentences: Sequence[str], source: str, target: str, progress: Progress = no_progress
    ) -> list[str]:
        """As the base says; a sentence longer than the model takes is cut off by it."""
        translated: list[str] = []
        for first in range(0, len(sentences), _AT_ONCE):
            group = sentences[first : first + _AT_ONCE]
            tokens = [[f"__{source}__", *self._pieces.encode(text, out_type=str), "</s>"] for text in group]
            answers = self._model.translate_batch(
                tokens,
                target_prefix=[[f"__{target}__"]] * len(group),
                beam_size=_BEAM,
                max_decoding_length=_LONGEST,
                asynchronous=True,
            )
            self._wait(answers, first / len(sentences), progress)
            translated += [self._text(answer.result().hypotheses[0]) for answer in answers]
        progress(1.0, "stage.translate")
        return translated

    def _wait(self, answers: Sequence[Any], done: float, progress: Progress) -> None:
        while not all(answer.done() for answer in answers):
            progress(done, "stage.translate")
            time.sleep(0.05)
        progress(done, "stage.translate")

    def _text(self, pieces: Sequence[str]) -> str:
        text = str(self._pieces.decode([piece for piece in pieces if not _is_language(piece)])).strip()
        if not text:
            raise EngineFailed("The translation model gave no text.")
        return text


def _is_language(piece: str) -> bool:
    return piece.startswith("__") and piece.endswith("__") and len(piece) > 4
