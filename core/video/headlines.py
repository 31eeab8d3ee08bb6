"""A title for a clip out of what it claims: never its first words, at most 70 characters (issue 2, step 3).

Tried in order of strength: a how-to, a reason, a counted list, a superlative, a rule, a question asked inside; then the
keyphrases. Of those that hold, the one that carries most of the talk's subject wins.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from core.video.keyphrases import Keyphrase, TalkPhrases, is_stopword
from core.video.sentences import Sentence, tokens
from core.video.text import cells, clean, has_thai, join, thai_words

LONGEST = 70
LONGEST_WORDS = 13
_CLAUSE = r"([^,.;:!?()\"“”—]+)"
_COUNT = r"(two|three|four|five|six|seven|eight|nine|ten|\d{1,3})"
_LISTED = r"(ways|things|steps|mistakes|rules|tips|reasons|secrets|habits|ideas|tricks|questions|lessons|words)"
_PATTERNS: tuple[tuple[float, re.Pattern[str], str], ...] = (
    (1.5, re.compile(rf"\bhow to {_CLAUSE}", re.I), "How to {0}"),
    (1.2, re.compile(rf"\bhow (?:I|we) {_CLAUSE}", re.I), "How I {0}"),
    (1.4, re.compile(rf"\b{_COUNT} ((?:[\w'-]+ ){{0,2}}){_LISTED}\b([^,.;:!?]*)", re.I), "{0} {1}{2}{3}"),
    (1.3, re.compile(r"\bthe reason (?:why |that )?(?!is\b|for\b)([^,.;:!?]+?) is\b", re.I), "Why {0}"),
    (1.2, re.compile(rf"\bwhy (?!(?:do|does|did|is|are|not|would|should|can)\b){_CLAUSE}", re.I), "Why {0}"),
    (1.2, re.compile(rf"\bthe (most [\w-]+|best|biggest|worst|easiest|cheapest|fastest|only|real) {_CLAUSE}", re.I),
     "The {0} {1}"),
    (1.2, re.compile(rf"^(?:so |and |but |well,? )?why do (?!not\b){_CLAUSE}\?", re.I), "Why {0}"),
    (1.3, re.compile(rf"^(?:so |and |but |well,? )?how do (?:you|i|we) {_CLAUSE}\?", re.I), "How to {0}"),
    (1.1, re.compile(rf"^(you (?:do not|don't|never|should|must|only) (?:need |have to )?){_CLAUSE}", re.I), "{0}{1}"),
    (1.1, re.compile(rf"\b(?:ask|know|see|learn|decide|check) (which|what|where|when|who) {_CLAUSE}", re.I), "{0} {1}"),
    (1.1, re.compile(rf"(?<!you )(?<!we )(?<!they )(?<!i )\b(never|always|stop|don't|do not) {_CLAUSE}", re.I),
     "{0} {1}"),
)  # fmt: skip
_SMALL = {
    "a", "an", "the", "and", "or", "but", "nor", "of", "to", "in", "on", "at", "by", "for", "with", "from", "as",
    "than", "into", "per", "vs",
}  # fmt: skip
_CUT_BEFORE = {
    "because", "so", "but", "which", "and", "when", "if", "while", "until", "unless", "although", "is", "are", "was",
    "will", "that", "who", "where", "then", "or", "than", "before", "after", "without", "for", "with", "in", "on", "by",
    "from", "at", "to", "as",
}  # fmt: skip
# A thought that goes on after these has already been said before them.
_TURNS = {"because", "so", "but", "unless", "although", "until", "while"}
_NOT_LAST = _SMALL | {
    "is", "your", "my",
    "that", "this", "these", "those", "which", "because", "so", "then", "very", "it", "i", "we", "you", "they", "be",
    "not", "just", "really", "also", "are", "was", "were", "will", "can", "do", "does", "have", "has", "one", "their",
    "our", "its", "his", "her", "about",
}  # fmt: skip
_WEAK_START = {
    "and", "so", "but", "then", "or", "it", "he", "she", "they", "i", "we", "this", "that", "these", "those", "there",
    "here", "let", "if", "when", "while", "to", "of", "in", "on", "for", "with", "than", "as", "at", "by", "from", "is",
    "are", "was", "were", "who", "where", "today", "now", "well", "okay", "ok", "yes", "i'm", "i'll", "it's", "that's",
    "we're", "let's", "what", "also", "just", "him", "her", "them", "my", "our", "welcome", "thank", "thanks", "until",
    "before", "after", "you", "not",
    "often", "without", "will", "can", "have", "has", "had", "would", "could", "should", "more", "less",
}  # fmt: skip
_VAGUE = {"it", "this", "that", "them", "they", "he", "she", "these", "those"}


def headline(
    spoken: Sequence[Sentence], first: int, last: int, phrases: TalkPhrases, taken: Collection[str] = ()
) -> str:
    """The title of sentences ``first`` until ``last`` of a talk; different from all in ``taken``."""
    clip = [sentence.text for sentence in spoken[first:last]]
    opening = tokens(" ".join(clip[:2]))
    best = phrases.best(first, last)
    thai = has_thai("".join(clip))
    options = list(_thai_claims(clip) if thai else _claims(clip))
    ranked: list[tuple[float, str]] = []
    for strength, title in options:
        said = tokens(title)
        weight = sum(phrases.weights.get(token, 0.0) for token in set(said))
        ranked.append((strength * weight / max(len(said), 1) ** 0.5, title))
    ranked.sort(key=lambda option: -option[0])
    seconds = round(spoken[last - 1].end - spoken[first].start)
    fallbacks = _from_phrases(best, thai, seconds)
    for title in [*(title for _, title in ranked), *fallbacks]:
        if _usable(title, opening, taken):
            return title
    return _numbered(fallbacks[-1], taken)


def _claims(texts: Sequence[str]) -> list[tuple[float, str]]:
    found: list[tuple[float, str]] = []
    for text in texts:
        for strength, pattern, form in _PATTERNS:
            for match in pattern.finditer(text):
                title = _trimmed(form.format(*(group or "" for group in match.groups())))
                if title:
                    found.append((strength, title))
        # The beginning of a sentence says something by itself; what follows a comma is a scrap.
        clause = re.split(r"[,.;:!?()]+|\b(?:because|which|so that)\b", text)[0]
        said = clause.split()
        if len(said) >= 4 and said[0].lower() not in _WEAK_START and not text.rstrip().endswith("?"):
            half = next((i for i in range(4, len(said)) if said[i].lower() == "and"), len(said))
            for strength, part in ((0.75, said), (0.7, said[:half])):
                title = _trimmed(" ".join(part))
                if len(title.split()) == len(part):
                    found.append((strength, title))
        if text.rstrip().endswith("?") and 4 <= len(text.split()) <= 12:
            question = re.sub(r"^(so|and|but|well|now|okay|ok),? ", "", clean(text), flags=re.I)
            if len(question) <= LONGEST:
                found.append((1.0, _title_case(question)))
    return found


def _thai_claims(texts: Sequence[str]) -> list[tuple[float, str]]:
    found: list[tuple[float, str]] = []
    for text in texts:
        for mark, strength in (("วิธี", 1.5), ("ทำไม", 1.3), ("เคล็ดลับ", 1.3), ("สิ่งสำคัญ", 1.2), ("อย่า", 1.0)):
            at = text.find(mark)
            if at < 0:
                continue
            words, kept = thai_words(text[at:].split(" ")[0].rstrip(".!?")), ""
            for word in words:
                if cells(kept + word) > 40:
                    break
                kept += word
            for particle in ("ครับ", "ค่ะ", "คะ", "นะ"):
                kept = kept.removesuffix(particle)
            if cells(kept) > cells(mark) + 3:
                found.append((strength, kept))
    return found


def _trimmed(text: str) -> str:
    """A clause as a title: whole where it fits, cut before its last turn where not; empty when too little is left, or
    when what it is about was named in another sentence ("take it away")."""
    words = clean(text).split()
    turn = next((i for i in range(3, len(words)) if words[i].lower() in _TURNS), None)
    words = words[:turn]
    if len(words) > LONGEST_WORDS or len(_title_case(" ".join(words))) > LONGEST:
        for last in (LONGEST_WORDS, 9):
            cut = next((i for i in range(min(last, len(words) - 1), 3, -1) if words[i].lower() in _CUT_BEFORE), last)
            if len(" ".join(words[:cut])) <= LONGEST:
                break
        words = words[:cut]
    while words and words[-1].lower() in _NOT_LAST:
        words.pop()
    if len(words) < 3 or words[-1].lower() in _VAGUE:
        return ""
    about = sum(not is_stopword(token) for token in tokens(" ".join(words[1:])))
    if about < (2 if any(word.lower() in _VAGUE for word in words) else 1):
        return ""
    title = _title_case(" ".join(words))
    return title if len(title) <= LONGEST else ""


def _title_case(text: str) -> str:
    words = text.split()
    cased = []
    for index, word in enumerate(words):
        inner = 0 < index < len(words) - 1
        if inner and word.lower() in _SMALL:
            cased.append(word.lower())
        else:
            cased.append(word[:1].upper() + word[1:])
    return " ".join(cased)


def _from_phrases(best: Sequence[Keyphrase], thai: bool, seconds: int) -> list[str]:
    names = [phrase.text if has_thai(phrase.text) else _title_case(phrase.text) for phrase in best]
    if not names:
        return ["ไฮไลต์" if thai else "Highlight"]
    titles = []
    for size in (3, 2):
        if len(names) >= size:
            head, tail = names[: size - 1], names[size - 1]
            titles.append(join([" ".join(head), "และ" + tail]) if thai else f"{', '.join(head)} and {tail}")
    titles.reverse()
    titles.extend(f"{name} ใน {seconds} วินาที" if thai else f"{name} in {seconds} Seconds" for name in names)
    return [title for title in titles if len(title) <= LONGEST] or [names[0][:LONGEST]]


def _usable(title: str, opening: Sequence[str], taken: Collection[str]) -> bool:
    said = tokens(title)
    if not said or title.casefold() in {other.casefold() for other in taken}:
        return False
    lead = said[: min(3, len(said))]
    if any(list(opening[skip : skip + len(lead)]) == lead for skip in (0, 1)):
        return False
    return list(opening[: len(said)]) != said


def _numbered(title: str, taken: Collection[str]) -> str:
    used = {other.casefold() for other in taken}
    number = 1
    while (name := f"{title[: LONGEST - 4]} {number}").casefold() in used:
        number += 1
    return name
