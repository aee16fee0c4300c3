"""Answers that nobody watches: waiting for their end, and what came of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import exists, select

from webapp.chat.live.runtime import runtime
from webapp.chat.models import Conversation, Generation, Message
from webapp.chat.rules import AnswerState, usage_source
from webapp.chat.service.threads import latest_generation
from webapp.database import db
from webapp.lib import clock
from webapp.llm import service as llm

LOOK_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class AnswerOutcome:
    """What came of an answer; `cost_micros` is None where that is not known."""

    state: AnswerState
    error_kind: str | None
    text: str
    prompt_tokens: int
    completion_tokens: int
    estimated: bool
    cost_micros: int | None


def wait_until_ended(message_id: int, seconds: float, check: Callable[[], None]) -> bool:
    """Wait for the end of an answer, whichever process writes it; tell whether it came in time.

    `check` is called now and then and may raise. No database connection is held meanwhile.
    """
    deadline = clock.monotonic() + seconds
    while _is_live(message_id):
        check()
        if clock.monotonic() > deadline:
            return False
        producer = runtime().producers.get(message_id)
        if producer is not None:
            producer.answer.finished.wait(LOOK_SECONDS)
        else:
            time.sleep(LOOK_SECONDS)
    return True


def outcome_of(message_id: int) -> AnswerOutcome | None:
    """Return what came of an answer, None where it is gone with its conversation."""
    message = db.session.get(Message, message_id)
    if message is None:
        return None
    generation = latest_generation(message)
    source = usage_source(generation.id, generation.created_at)
    return AnswerOutcome(
        state=generation.answer_state,
        error_kind=generation.error_kind,
        text=message.text,
        prompt_tokens=generation.prompt_tokens or 0,
        completion_tokens=generation.completion_tokens or 0,
        estimated=generation.usage_estimated,
        cost_micros=llm.costs_of([source]).get(source),
    )


def is_being_answered(conversation: Conversation) -> bool:
    """Tell whether an answer is being written in a conversation."""
    live = (
        exists()
        .where(Generation.message_id == Message.id, Generation.state == AnswerState.STREAMING.value)
        .where(Message.conversation_id == conversation.id)
    )
    return bool(db.session.scalar(select(live)))


def _is_live(message_id: int) -> bool:
    live = exists().where(
        Generation.message_id == message_id, Generation.state == AnswerState.STREAMING.value
    )
    with db.engine.connect() as connection:
        return bool(connection.scalar(select(live)))
