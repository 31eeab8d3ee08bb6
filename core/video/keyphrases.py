"""What a talk is about: keyphrases by the RAKE method (Rose et al. 2010), weighted against the talk as a whole."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from core.video.sentences import tokens
from core.video.text import has_thai, join, thai_words

_ENGLISH = """
a about above after again against all also always am an and any are aren't as at back be because been before
being below between both but by came can can't cannot come could couldn't did didn't do does doesn't doing
don't done down during each either else even ever every everybody everyone everything few first for from
further gave get gets getting give go goes going gonna good got had hadn't has hasn't have haven't having he
he's her here here's hers herself him himself his how however i i'd i'll i'm i've if in into is isn't it it's
its itself just keep kind know last least let let's like little long look lot made make makes making many may
maybe me mean might mine more most much must my myself need needs never new next no nobody nor not nothing now
of off often oh ok okay on once one ones only or other our ours ourselves out over own people per perhaps put
quite rather really right said same say says second see seem seems she should shouldn't simply since so some
somebody someone something sometimes soon still such sure take takes tell than that that's the their theirs
them themselves then there there's these they they'll they're they've thing things think this those though
three through time to today together too took try two under until up upon us use used uses using usually very
want wants was wasn't way ways we we'll we're we've well went were weren't what what's when where whether
which while who whole whom whose why will with within without won't would wouldn't year yes yet you you'd
you'll you're you've your yours yourself um uh er erm hmm four five six seven eight nine ten third finally
actually basically literally probably everywhere anything anyone almost already enough less better best bad
big small great nice start starts started stop happen happens talk talking show shows work works day days word
words part bit whatever another around bring number numbers welcome hello hi thanks thank please sorry
"""
_THAI = """
ที่ และ ของ ใน เป็น มี จะ ได้ ให้ กับ ไม่ ว่า ก็ แต่ หรือ นี้ นั้น เรา คุณ ผม ฉัน เขา มัน ครับ ค่ะ
คะ นะ มา ไป อยู่ แล้ว ถ้า เมื่อ เพราะ ซึ่ง โดย จาก ด้วย การ ความ คือ แบบ อย่าง มาก เลย ๆ อะไร ทำไม
อย่างไร ยังไง วันนี้ สวัสดี ต้อง ควร ทำ ดู พูด บอก คน เวลา ทุก หลาย บาง อีก ยัง กัน เอง ถึง ต่อ ตอน
พอ แค่ เอา ใช้ นี่ นั่น หนึ่ง สอง สาม เขาจะ พูดถึง สำหรับ
"""
STOPWORDS = frozenset(_ENGLISH.split()) | frozenset(_THAI.split())
MAX_WORDS = 3


@dataclass(frozen=True)
class Keyphrase:
    """Words in lower case as one text, and their weight."""

    text: str
    weight: float


def is_stopword(token: str) -> bool:
    """Whether a word says nothing about the subject."""
    return token in STOPWORDS or (len(token) < 2 and not has_thai(token))


def candidates(text: str) -> list[tuple[str, ...]]:
    """Runs of content words between stop words and marks, at most three words each."""
    runs: list[tuple[str, ...]] = []
    for part in re.split(r"[.,;:!?()\"“”—–…]+", text):
        words = thai_words(part) if has_thai(part) else part.split()
        run: list[str] = []
        for word in [*words, ""]:
            found = tokens(word)
            token = found[0] if len(found) == 1 else "".join(found)
            if token and not is_stopword(token) and not token.isdigit():
                run.append(token)
                continue
            runs.extend(tuple(run[index : index + MAX_WORDS]) for index in range(0, len(run), MAX_WORDS))
            run = []
    return [run for run in runs if run]


class TalkPhrases:
    """Keyphrases of one talk, given as its sentences."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._by_sentence = [candidates(text) for text in texts]
        frequency: Counter[str] = Counter()
        degree: Counter[str] = Counter()
        spread: Counter[str] = Counter()
        for runs in self._by_sentence:
            spread.update({word for run in runs for word in run})
            for run in runs:
                for word in run:
                    frequency[word] += 1
                    degree[word] += len(run)
        count = max(1, len(texts))
        self.weights: dict[str, float] = {
            word: math.sqrt(degree[word] / frequency[word])
            * (1 + math.log(frequency[word]))
            * (math.log((1 + count) / (1 + spread[word])) + 0.3)
            for word in frequency
        }  # fmt: skip

    def sentence_weight(self, index: int) -> float:
        """How much of the talk's subject a sentence carries: the sum of its content words' weights."""
        return sum(self.weights[word] for run in self._by_sentence[index] for word in run)

    def best(self, first: int, last: int, count: int = 4) -> list[Keyphrase]:
        """The strongest phrases of sentences ``first`` until ``last``, none inside another."""
        local: Counter[tuple[str, ...]] = Counter()
        for runs in self._by_sentence[first:last]:
            local.update(runs)
        ranked = sorted(
            (
                Keyphrase(join(run), sum(self.weights[word] for word in run) / len(run) ** 0.4 * (1 + math.log(times)))
                for run, times in local.items()
            ),
            key=lambda phrase: (-phrase.weight, phrase.text),
        )
        chosen: list[Keyphrase] = []
        for phrase in ranked:
            mine = set(tokens(phrase.text))
            if any(mine & set(tokens(other.text)) for other in chosen):
                continue
            chosen.append(phrase)
            if len(chosen) == count:
                break
        return chosen
