"""Answer a stored question with a language model (A4): it asks for figures, the studio looks them up and checks what it
writes. Nothing of a turn is seen before the answer is: queries and answer are stored with the job's end."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from core.advisor import actions, answers, chat, language
from core.advisor.grounding import Ungrounded, write
from core.advisor.payloads import AnswerInput
from core.advisor.render import Draft
from core.advisor.results import Result
from core.advisor.store import row_of
from core.business import figures
from core.database import get_owned
from core.errors import InvalidInput, ProviderRefused
from core.i18n import t
from core.models.advisor import AdvisorQuery, Message
from core.models.base import uuid7
from providers.language.chat import Call, answered, complete
from workers.context import JobContext
from workers.registry import task

STAGE = "stage.advise"


@task("advisor.answer")
def answer(context: JobContext, payload: AnswerInput) -> dict[str, Any]:
    """The result names the answer's message."""
    turn = _Turn(context, payload)
    tick = partial(context.progress, 0.1, STAGE)
    messages, corrected = turn.messages, False
    for number in range(language.ROUNDS):
        reply = complete(turn.service, messages, [language.tool()], tick)
        context.progress(0.1 + 0.8 * (number + 1) / language.ROUNDS, STAGE)
        if reply.calls:
            messages += [reply.message, *(answered(call, turn.look_up(call)) for call in reply.calls)]
            continue
        draft = Draft(turn.asked.language, turn.zone)
        if any(result.simulated for result in turn.results.values()):
            draft.say("advisor.simulated")
        try:
            write(draft, reply.words, turn.results, turn.names)
        except Ungrounded as wrong:
            if corrected:
                raise ProviderRefused(
                    "The language model's answer could not be traced to figures, so it is not shown.",
                    "Ask the built-in analyst, or choose another model.",
                    code="ungrounded",
                ) from wrong
            corrected = True
            messages += [reply.message, {"role": "user", "content": f"{wrong} Write the answer again."}]
            continue
        return turn.keep(draft)
    raise ProviderRefused(
        "The language model looked up figures without coming to an answer.",
        "Ask the built-in analyst, or choose another model.",
        code="no-answer",
    )


class _Turn:
    """One question on its way to an answer: what is known before, and what was looked up."""

    def __init__(self, context: JobContext, payload: AnswerInput) -> None:
        self._context = context
        self._payload = payload
        self._rows: list[AdvisorQuery] = []
        self._last = ""
        self._now = datetime.now(UTC)
        self.results: dict[str, Result] = {}
        self.zone = ZoneInfo(payload.timezone)
        with context.session() as session:
            self.service = language.service_of(session, context.owner_id)
            self.asked = get_owned(session, Message, payload.question_id)
            self._simulated = chat.uses_simulated(session, payload.simulated)
            earlier = [
                message
                for message in chat.messages(session, self.asked.conversation_id)
                if message.created_at < self.asked.created_at
            ]
            channels, series = figures.names(session)
            self.names: set[str] = {*channels.values(), *(name for name, _ in series.values())}
            self.messages = language.opening(
                session, self.asked, earlier, zone=self.zone, currency=payload.currency, now=self._now,
                simulated=self._simulated,
            )  # fmt: skip

    def look_up(self, call: Call) -> str:
        """Run the query a model asked for; what it did wrong is told to it, so that it can ask better."""
        if call.name != "look_up":
            return _wrong("There is only look_up.")
        if len(self.results) >= language.LOOKUPS:
            return _wrong("That is enough. Answer with what you have.")
        try:
            lookup = language.Lookup.model_validate_json(call.arguments or "{}")
        except ValidationError as error:
            return _wrong("; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:5]))
        alias = f"q{len(self.results) + 1}"
        with self._context.session() as session:
            try:
                wanted = language.wanted(
                    session, lookup, zone=self.zone, currency=self._payload.currency, now=self._now,
                    simulated=self._simulated,
                )  # fmt: skip
            except InvalidInput as error:
                return _wrong(f"{error.title} {error.detail}")
            result = answers.run(session, wanted)
            chat.describe(result, wanted)
        self._rows.append(row_of(self._context.owner_id, result, conversation_id=self.asked.conversation_id))
        self.results[alias] = result
        self.names.update(_names(result))
        self._last = str(lookup.about)
        return json.dumps(language.told(alias, result, self.asked.language, self.zone), ensure_ascii=False)

    def keep(self, draft: Draft) -> dict[str, Any]:
        """Queries and answer, stored when the job ends."""
        doing: list[actions.Action] = []
        if self.results:
            last = list(self.results.values())[-1]
            answers.caveats(draft, self._last, last)
            with self._context.session() as session:
                doing = actions.of_answer(session, self._last, last, self.asked.language, self._now)
        content, spans = draft.finish()
        quoted = {span.query_id for span in spans}
        lang = self.asked.language
        message = Message(
            id=uuid7(),
            owner_id=self._context.owner_id,
            conversation_id=self.asked.conversation_id,
            role="assistant",
            content=content,
            language=lang,
            intent=self._last or None,
            spans=[span.as_dict() for span in spans],
            suggestions=[t(f"advisor.ask.{name}", lang) for name in answers.FOLLOW_UPS.get(self._last, ())],
            actions=[action.as_dict() for action in doing],
            author=self.service.model[:60],
        )
        kept = [row for row in self._rows if row.id in quoted]
        self._context.rows += [*kept, message]
        return {
            "conversation_id": str(self.asked.conversation_id),
            "message_id": str(message.id),
            "query_ids": [str(row.id) for row in kept],
        }


def _names(result: Result) -> Sequence[str]:
    columns = [column.name for column in result.columns if column.kind == "text"]
    return [str(row[name]) for row in result.rows for name in columns if row[name]]


def _wrong(what: str) -> str:
    return json.dumps({"error": what}, ensure_ascii=False)
