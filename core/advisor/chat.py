"""The chat: a question in, a stored answer out, with the queries behind its numbers (A1, S3).

Deterministic and always there; a language model (:mod:`core.advisor.language`) may be asked instead, never in place of
the queries.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.advisor import actions, answers
from core.advisor.following import follow
from core.advisor.naming import Limit, named
from core.advisor.periods import DEFAULT, Ahead, Spoken, coming, spoken
from core.advisor.render import Draft
from core.advisor.results import Cell, Result
from core.advisor.store import keep
from core.advisor.text import fold, is_thai, plain
from core.advisor.understand import Understood
from core.business.dashboard import today
from core.business.overview import has_figures
from core.business.scope import Scope, owner_of, period
from core.database import get_owned
from core.errors import InvalidInput
from core.i18n import t
from core.models.advisor import AdvisorQuery, Conversation, Message
from core.preferences import preferences_of
from core.security import Actor

QUESTION_LIMIT: Final = 1000
_CURRENCIES: Final = (
    (r"\b(in|as) (us )?(dollars?|usd)\b|เป็นดอลลาร|เป็น usd", "USD"),
    (r"\b(in|as) (thai )?(baht|thb)\b|เป็นบาท|เป็น thb", "THB"),
    (r"\b(in|as) (euros?|eur)\b|เป็นยูโร", "EUR"),
)


@dataclass(frozen=True)
class Answered:
    """A question with its answer, both stored, and the queries the answer quotes."""

    conversation: Conversation
    question: Message
    answer: Message
    queries: tuple[AdvisorQuery, ...]


def ask(
    session: Session,
    actor: Actor,
    question: str,
    *,
    conversation_id: UUID | None = None,
    language: str | None = None,
    simulated: bool | None = None,
    now: datetime | None = None,
) -> Answered:
    """Answer a question in its own language and store both.

    ``simulated`` None answers from real figures, and from simulated ones, saying so, only while there are no real ones.

    Raises:
        InvalidInput: an empty question, or one longer than 1,000 characters.
        NotFound: ``conversation_id`` is not one of the actor's.
    """
    asked = begin(session, actor, question, conversation_id=conversation_id, language=language, now=now)
    return reply(session, actor, asked, simulated=simulated, now=now)


def begin(
    session: Session,
    actor: Actor,
    question: str,
    *,
    conversation_id: UUID | None = None,
    language: str | None = None,
    now: datetime | None = None,
) -> Message:
    """Store a question in its chat, a new one without ``conversation_id``.

    Raises:
        InvalidInput: an empty question, or one longer than 1,000 characters.
        NotFound: ``conversation_id`` is not one of the actor's.
    """
    text = " ".join(question.split())
    if not text:
        raise InvalidInput("Ask a question first.")
    if len(text) > QUESTION_LIMIT:
        raise InvalidInput("That question is too long.", "Ask in fewer than 1,000 characters.")
    spoken_in = language or ("en" if re.search("[A-Za-z]", text) else preferences_of(session, actor).language)
    conversation = _conversation(session, conversation_id, text)
    conversation.updated_at = now or datetime.now(UTC)
    asked = Message(
        owner_id=owner_of(session),
        conversation_id=conversation.id,
        role="user",
        content=text,
        language="th" if is_thai(text) else spoken_in,
    )
    session.add(asked)
    session.flush()
    return asked


def reply(
    session: Session, actor: Actor, asked: Message, *, simulated: bool | None = None, now: datetime | None = None
) -> Answered:
    """The built-in analyst's answer to a stored question, stored after it."""
    text, lang, moment = asked.content, asked.language, now or datetime.now(UTC)
    preferences = preferences_of(session, actor)
    conversation = get_owned(session, Conversation, asked.conversation_id)
    zone = ZoneInfo(preferences.timezone)
    found, texts = follow(text, [turn.content for turn in _before(session, asked) if turn.role == "user"])
    draft = Draft(lang, zone)
    kept: list[AdvisorQuery] = []
    doing: list[actions.Action] = []
    if found.intent in (None, "help"):
        draft.say("advisor.able" if found.intent else "advisor.not_understood")
        for name in answers.ABLE:
            draft.say("advisor.example", question=t(f"advisor.ask.{name}", lang))
        follow_ups: tuple[str, ...] = answers.ABLE[:4]
    else:
        wanted = _ask(session, texts, found, moment, zone, preferences.currency, simulated)
        result = answers.run(session, wanted)
        describe(result, wanted)
        kept.append(keep(session, result, conversation_id=conversation.id))
        answers.compose(draft, wanted, result)
        doing = actions.of_answer(session, str(found.intent), result, lang, moment)
        if not result.rows and not _anything(session) and found.intent not in ("scheduled", "attention"):
            draft.say("advisor.no_figures")
        follow_ups = answers.FOLLOW_UPS[str(found.intent)]
    content, spans = draft.finish()
    answer = Message(
        owner_id=owner_of(session),
        conversation_id=conversation.id,
        role="assistant",
        content=content,
        language=lang,
        intent=found.intent or "unknown",
        spans=[span.as_dict() for span in spans],
        suggestions=[t(f"advisor.ask.{name}", lang) for name in follow_ups],
        actions=[action.as_dict() for action in doing],
    )
    session.add(answer)
    conversation.updated_at = moment
    session.flush()
    return Answered(conversation, asked, answer, tuple(kept))


def default_scope(
    session: Session, *, currency: str, zone: ZoneInfo, now: datetime, range_name: str, simulated: bool
) -> Scope:
    """A scope for a range name, up to today of the real or the simulated clock."""
    return Scope(period(range_name, today(session, zone, simulated=simulated, now=now)), currency, simulated)


def uses_simulated(session: Session, simulated: bool | None) -> bool:
    """Whether to answer from simulated figures: as asked, otherwise only while they are the only ones."""
    if simulated is not None:
        return simulated
    return not has_figures(session, simulated=False) and has_figures(session, simulated=True)


def _ask(
    session: Session,
    texts: Sequence[str],
    found: Understood,
    moment: datetime,
    zone: ZoneInfo,
    currency: str,
    simulated: bool | None,
) -> answers.Ask:
    """``texts`` are the question and those it leans on, the newest first: the first that says something counts."""
    as_simulated = uses_simulated(session, simulated)
    now = today(session, zone, simulated=as_simulated, now=moment)
    days = [spoken(text, now) for text in texts]
    there = moment.astimezone(zone).date()
    return scoped(
        found,
        next((one for one in days if one.name != DEFAULT), days[0]),
        simulated=as_simulated,
        currency=next(
            (code for text in texts for pattern, code in _CURRENCIES if re.search(pattern, fold(text))), currency
        ),
        only=next((limit for text in texts if (limit := named(session, text)) is not None), None),
        ahead=next((ahead for text in texts if (ahead := coming(text, there)) is not None), None),
        now=moment,
        zone=zone,
    )


def _before(session: Session, asked: Message, *, turns: int = 12) -> list[Message]:
    """The turns of a chat before a question, oldest first."""
    return [one for one in messages(session, asked.conversation_id, limit=turns) if one.created_at < asked.created_at]


def scoped(
    found: Understood,
    days: Spoken,
    *,
    simulated: bool,
    currency: str,
    only: Limit | None,
    ahead: Ahead | None,
    now: datetime,
    zone: ZoneInfo,
) -> answers.Ask:
    """What was understood, with the figures it takes: a platform is kept to where figures have one."""
    platform = found.platform if not simulated or found.intent in ("scheduled", "attention") else None
    of_costs = found.intent in ("losses", "costs") or (found.intent == "top" and found.metric in ("profit", "roi"))
    all_platforms = platform is not None and of_costs
    if all_platforms:
        platform = None  # costs belong to episodes: with one platform's alone everything would look free
    scope = Scope(days.period, currency, simulated, platform=platform)
    if only is not None:
        scope = replace(scope, series_id=only.series_id, channel_id=only.channel_id)
    return answers.Ask(found, scope, days, ahead, now, zone, only.name if only is not None else "", all_platforms)


def describe(result: Result, wanted: answers.Ask) -> None:
    """Name the days that were asked for, so that an answer can quote them."""
    days = wanted.scope.period
    if days.start is not None:
        result.derived["days"] = Cell(days.days, "count", "days of the period asked for")
        result.derived["from"] = Cell(days.start, "day", "first day of the period asked for")
        result.derived["to"] = Cell(days.end, "day", "last day of the period asked for")


def _anything(session: Session) -> bool:
    return has_figures(session, simulated=False) or has_figures(session, simulated=True)


def _conversation(session: Session, identifier: UUID | None, text: str) -> Conversation:
    if identifier is not None:
        return get_owned(session, Conversation, identifier)
    row = Conversation(owner_id=owner_of(session), title=plain(text, 80))
    session.add(row)
    session.flush()
    return row


def conversations(session: Session, *, limit: int = 50) -> list[Conversation]:
    """Chats, the last used first."""
    return list(session.scalars(select(Conversation).order_by(Conversation.updated_at.desc()).limit(limit)))


def messages(session: Session, conversation_id: UUID, *, limit: int = 200) -> list[Message]:
    """The newest turns of a chat, oldest first."""
    rows = session.scalars(
        select(Message)
        .where(Message.conversation_id == get_owned(session, Conversation, conversation_id).id)
        .order_by(Message.created_at.desc(), Message.id.desc())
        .limit(limit)
    ).all()
    return list(reversed(rows))
