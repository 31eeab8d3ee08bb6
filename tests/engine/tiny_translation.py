"""A translation model of half a megabyte in M2M-100's form, whose every answer is known.

It knows two words. Its decoder's state is the token before and, through uniform attention, which words the source has;
the projection is written by hand: after a target language's token comes that language's word for a word of the source,
then the end.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

WORDS = {
    "hello": {"th": "สวัสดี", "ja": "こんにちは", "de": "hallo"},
    "thanks": {"th": "ขอบคุณ", "ja": "ありがとう", "de": "danke"},
}
LANGUAGES = ("en", "th", "ja", "de")


def make(folder: Path) -> None:
    """Write the model's four files into ``folder``."""
    import ctranslate2
    import sentencepiece

    pieces = [*WORDS, *(word for row in WORDS.values() for word in row.values())]
    trained = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["abc abd bcd", "aab cbd dac"]), model_writer=trained, model_type="bpe", vocab_size=40,
        hard_vocab_limit=False, user_defined_symbols=pieces, minloglevel=2,
    )  # fmt: skip
    processor = sentencepiece.SentencePieceProcessor(model_proto=trained.getvalue())
    known = [processor.id_to_piece(index) for index in range(3, processor.get_piece_size())]
    tokens = ["<s>", "<pad>", "</s>", "<unk>", *known, *(f"__{language}__" for language in LANGUAGES)]
    size = len(tokens)
    at = {token: index for index, token in enumerate(tokens)}
    wide = 2 * size  # the token before, then the words of the source

    spec = ctranslate2.specs.TransformerSpec.from_config((1, 1), 1)
    encoder, decoder = spec.encoder, spec.decoder
    encoder.scale_embeddings = decoder.scale_embeddings = False
    source = np.zeros((size, wide), np.float32)
    source[:, size:] = 4 * np.eye(size)
    encoder.embeddings[0].weight = source
    target = np.zeros((size, wide), np.float32)
    target[:, :size] = 4 * np.eye(size)
    decoder.embeddings.weight = target
    for part in (encoder, decoder):
        part.position_encodings.encodings = np.zeros((600, wide), np.float32)
        _plain(part.layer_norm, wide)
        layer = part.layer[0]
        _attention(layer.self_attention, wide, passes=False)
        _feed_forward(layer.ffn, wide)
    _attention(decoder.layer[0].attention, wide, passes=True)
    projection = np.zeros((size, wide), np.float32)
    for language in LANGUAGES:
        for word, row in WORDS.items():
            if language in row:
                projection[at[row[language]], at[f"__{language}__"]] = 2.0
                projection[at[row[language]], size + at[word]] = 2.0
                projection[at["</s>"], at[row[language]]] = 8.0
    decoder.projection.weight = projection
    for kind in ("source", "target"):
        getattr(spec, f"register_{kind}_vocabulary")(tokens)
    spec.config.add_source_bos = spec.config.add_source_eos = False
    spec.config.decoder_start_token = "</s>"
    spec.validate()
    spec.optimize(quantization="float32")
    folder.mkdir(parents=True, exist_ok=True)
    spec.save(str(folder))
    # The published conversion is of CTranslate2 3, which wrote one token a line.
    (folder / "shared_vocabulary.json").unlink()
    (folder / "shared_vocabulary.txt").write_text("\n".join(tokens) + "\n", encoding="utf-8")
    (folder / "sentencepiece.bpe.model").write_bytes(trained.getvalue())


def _plain(norm: object, wide: int) -> None:
    norm.gamma, norm.beta = np.ones(wide, np.float32), np.zeros(wide, np.float32)  # type: ignore[attr-defined]


def _attention(attention: object, wide: int, *, passes: bool) -> None:
    """Attention to everything alike; it hands on what it sees, or nothing."""
    _plain(attention.layer_norm, wide)  # type: ignore[attr-defined]
    linear = attention.linear  # type: ignore[attr-defined]
    zeros, ones = np.zeros((wide, wide), np.float32), np.eye(wide, dtype=np.float32)
    if len(linear) == 2:  # queries, keys and values in one
        linear[0].weight = np.concatenate([zeros, zeros, zeros])
    else:
        linear[0].weight = zeros
        linear[1].weight = np.concatenate([zeros, ones])
    linear[-1].weight = ones if passes else zeros
    for each in linear:
        each.bias = np.zeros(each.weight.shape[0], np.float32)


def _feed_forward(ffn: object, wide: int) -> None:
    _plain(ffn.layer_norm, wide)  # type: ignore[attr-defined]
    for linear in (ffn.linear_0, ffn.linear_1):  # type: ignore[attr-defined]
        linear.weight, linear.bias = np.zeros((wide, wide), np.float32), np.zeros(wide, np.float32)
