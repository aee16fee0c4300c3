"""Where the routes of conversations are declared, and what several of them answer."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Final

from pydantic import Field

from webapp.chat import rules, service
from webapp.chat.models import Conversation, Message
from webapp.chat.service import Facts
from webapp.identity.rules import Scope
from webapp.web.api import Answer, Body, Routes, token

routes = Routes("chat", tag="Conversations")
CHAT: Final = token(Scope.CHAT)

Text = Annotated[str, Field(min_length=1, max_length=rules.MESSAGE_MAX_LENGTH)]
Model = Annotated[
    str | None, Field(max_length=rules.MODEL_NAME_MAX_LENGTH, description="left out: the model of a new chat")
]


class ConversationAnswer(Answer):
    """A conversation."""

    id: str
    title: str
    created_at: dt.datetime
    updated_at: dt.datetime
    live: Annotated[bool, Field(description="whether an answer is being written in it")]


class UsageAnswer(Answer):
    """Tokens taken; `estimated` where the provider did not say."""

    prompt_tokens: int
    completion_tokens: int
    estimated: bool


class MessageAnswer(Answer):
    """A question or an answer.

    `state` is that of an answer: streaming, complete, stopped (by you), length (cut off), filtered (by the provider),
    failed (nothing came) or interrupted (something came, then it broke off); `error` says why.
    """

    id: str
    role: Annotated[str, Field(description="user or assistant")]
    text: str
    reasoning: str
    model: str
    created_at: dt.datetime
    replaced: Annotated[bool, Field(description="whether a newer version took its place")]
    state: str | None
    error: str | None
    usage: UsageAnswer | None
    cost_micros: Annotated[int | None, Field(description="in millionths of the currency")]
    events_url: Annotated[str | None, Field(description="where the answer can be followed")]


class SentAnswer(Answer):
    """A stored question, and the answer that is being written."""

    conversation: ConversationAnswer
    question: MessageAnswer
    answer: MessageAnswer


class ModelBody(Body):
    """Which model is to answer."""

    model: Model = None


def of_conversation(conversation: Conversation, *, live: bool) -> ConversationAnswer:
    """Return what is told of a conversation."""
    return ConversationAnswer(
        id=conversation.public_id,
        title=conversation.title,
        created_at=conversation.created_at,
        updated_at=conversation.updated_at,
        live=live,
    )


def of_facts(facts: Facts) -> MessageAnswer:
    """Return what is told of a message."""
    message, usage = facts.message, facts.usage
    return MessageAnswer(
        id=message.public_id,
        role=message.role,
        text=facts.text,
        reasoning=facts.reasoning,
        model=message.model,
        created_at=message.created_at,
        replaced=message.superseded_at is not None,
        state=facts.state.value if facts.state else None,
        error=facts.error_kind,
        usage=UsageAnswer(
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            estimated=usage.estimated,
        )
        if usage
        else None,
        cost_micros=facts.cost_micros,
        events_url=f"/api/answers/{message.public_id}/events" if facts.state else None,
    )


def of_message(message: Message) -> MessageAnswer:
    """Return what is told of one message."""
    return of_facts(service.facts_of([message])[message.id])
