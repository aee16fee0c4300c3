"""Messages as programs read them: the text as it is, and how it came about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from webapp.accounts.models import User
from webapp.chat.live.runtime import runtime
from webapp.chat.models import Conversation, Generation, Message
from webapp.chat.rules import AnswerState, usage_source
from webapp.chat.service.threads import get_message
from webapp.database import Order, Page, db, sorted_page
from webapp.llm import service as llm
from webapp.llm.rules import Usage


@dataclass(frozen=True, slots=True)
class Facts:
    """A message; what concerns the run of a model that wrote it is there for answers only."""

    message: Message
    text: str
    reasoning: str
    state: AnswerState | None = None
    error_kind: str | None = None
    usage: Usage | None = None
    cost_micros: int | None = None


def messages(
    conversation: Conversation, after: str | None = None, *, limit: int, replaced: bool = False
) -> Page[Message]:
    """Return a page of the messages, oldest first; those that were replaced by newer versions only where asked for."""
    query = select(Message).where(Message.conversation_id == conversation.id)
    if not replaced:
        query = query.where(Message.superseded_at.is_(None))
    return sorted_page(query, Order(Message.position, Message.id, descending=False), after=after, limit=limit)


def facts(user: User, answer_id: str) -> Facts:
    """Return an answer of the user; raises NotFound for anybody else's."""
    message = get_message(user, answer_id, role="assistant")
    return facts_of([message])[message.id]


def facts_of(found: Sequence[Message]) -> dict[int, Facts]:
    """Return the facts of messages by their keys, with two queries for all."""
    generations = _latest([message.id for message in found if message.role == "assistant"])
    sources = {each.id: usage_source(each.id, each.created_at) for each in generations.values()}
    costs = llm.costs_of(sources.values())
    told: dict[int, Facts] = {}
    for message in found:
        generation = generations.get(message.id)
        if generation is None:
            told[message.id] = Facts(message, message.text, message.reasoning)
        else:
            told[message.id] = _of_answer(message, generation, costs.get(sources[generation.id]))
    return told


def _of_answer(message: Message, generation: Generation, cost_micros: int | None) -> Facts:
    text, reasoning, state = message.text, message.reasoning, generation.answer_state
    if state.live:
        live = runtime().feed(generation, message)
        text, reasoning, state = live.text, live.reasoning, live.state
    usage = None
    if generation.prompt_tokens is not None or generation.completion_tokens is not None:
        usage = Usage(
            generation.prompt_tokens or 0, generation.completion_tokens or 0, generation.usage_estimated
        )
    return Facts(message, text, reasoning, state, generation.error_kind, usage, cost_micros)


def _latest(message_ids: list[int]) -> dict[int, Generation]:
    latest = (
        select(func.max(Generation.id))
        .where(Generation.message_id.in_(message_ids))
        .group_by(Generation.message_id)
    )
    rows = db.session.scalars(select(Generation).where(Generation.id.in_(latest)))
    return {row.message_id: row for row in rows}
