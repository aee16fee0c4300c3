"""How an answer ends in the database: text, state and usage, in one transaction."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from sqlalchemy import Connection, insert, select, update

from webapp.chat.models import Conversation, Generation, Message
from webapp.chat.rules import AnswerState, usage_source
from webapp.lib import clock
from webapp.llm.models import UsageEntry
from webapp.llm.rules import Usage


@dataclass(slots=True)
class Ending:
    """The end of one generation; `text` and `reasoning` are those of the whole message."""

    state: AnswerState
    usage: Usage
    cost_micros: int | None = None
    error_kind: str | None = None
    first_token_at: dt.datetime | None = None
    reasoning_ms: int | None = None
    text: str = ""
    reasoning: str = ""
    finished_at: dt.datetime = field(default_factory=clock.utc_now)


def write_ending(connection: Connection, generation_id: int, process: str, ending: Ending) -> bool:
    """Write an ending unless the generation has ended or was taken over; tell whether it was written."""
    changed = connection.execute(
        update(Generation)
        .where(
            Generation.id == generation_id,
            Generation.process == process,
            Generation.state == AnswerState.STREAMING.value,
        )
        .values(
            state=ending.state.value,
            error_kind=ending.error_kind,
            first_token_at=ending.first_token_at,
            finished_at=ending.finished_at,
            prompt_tokens=ending.usage.prompt_tokens,
            completion_tokens=ending.usage.completion_tokens,
            usage_estimated=ending.usage.estimated,
        )
    )
    if changed.rowcount == 0:
        return False
    row = connection.execute(
        select(
            Generation.message_id,
            Generation.user_id,
            Generation.model,
            Generation.created_at,
            Message.conversation_id,
        )
        .join(Message, Message.id == Generation.message_id)
        .where(Generation.id == generation_id)
    ).one()
    _write_message(connection, row.message_id, ending)
    connection.execute(
        update(Conversation)
        .where(Conversation.id == row.conversation_id)
        .values(updated_at=ending.finished_at)
    )
    connection.execute(
        insert(UsageEntry),
        {
            "user_id": row.user_id,
            "source": usage_source(generation_id, row.created_at),
            "model": row.model,
            "ending": ending.state.value,
            "prompt_tokens": ending.usage.prompt_tokens,
            "completion_tokens": ending.usage.completion_tokens,
            "estimated": ending.usage.estimated,
            "cost_micros": ending.cost_micros,
            "first_token_ms": _milliseconds(row.created_at, ending.first_token_at),
            "created_at": ending.finished_at,
        },
    )
    return True


def _milliseconds(asked_at: dt.datetime, first_token_at: dt.datetime | None) -> int | None:
    if first_token_at is None:
        return None
    return max(0, round((first_token_at - asked_at).total_seconds() * 1000))


def _write_message(connection: Connection, message_id: int, ending: Ending) -> None:
    values: dict[str, object] = {"text": ending.text, "reasoning": ending.reasoning}
    if ending.reasoning_ms is not None:
        values["reasoning_ms"] = ending.reasoning_ms
    connection.execute(update(Message).where(Message.id == message_id).values(**values))
