"""Messages and answers: read, ask, edit, follow, stop, ask again, go on."""

from __future__ import annotations

from typing import Annotated, Any

from flask import Response
from pydantic import Field

from webapp.chat import service
from webapp.chat.api.declaring import (
    CHAT,
    MessageAnswer,
    Model,
    ModelBody,
    SentAnswer,
    Text,
    of_conversation,
    of_facts,
    of_message,
    routes,
)
from webapp.chat.api.following import follow_answer
from webapp.chat.service.answers import Sent
from webapp.web.api import Answer, Body, ListQuery, Media, caller, listing
from webapp.web.requests import current_request_id


class SendBody(Body):
    """A question."""

    text: Text
    model: Model = None
    thinking: Annotated[bool, Field(description="whether a model that can think first is to")] = False


class EditBody(Body):
    """Another text for the last question."""

    text: Text
    model: Model = None


class MessagesAnswer(Answer):
    """A page of messages, oldest first."""

    items: list[MessageAnswer]
    next: str | None


@routes.get("/conversations/<conversation_id>/messages", CHAT, query=ListQuery, answer=MessagesAnswer)
def messages(conversation_id: str, query: ListQuery) -> dict[str, Any]:
    """List the messages of a conversation, oldest first."""
    found = service.get_conversation(caller().person, conversation_id)
    page = service.messages(found, query.cursor, limit=query.limit)
    facts = service.facts_of(page.items)
    return listing(page, lambda message: of_facts(facts[message.id]))


@routes.post(
    "/conversations/<conversation_id>/messages",
    CHAT,
    body=SendBody,
    answer=SentAnswer,
    status=201,
    limit="chat_send",
    idempotent=True,
    refusals=(503,),
)
def send(conversation_id: str, body: SendBody) -> SentAnswer:
    """Ask something.

    The question is stored and its answer begun. It is written whether anybody follows it or not.
    """
    sent = service.send_message(
        caller().person,
        text=body.text,
        model=body.model,
        thinking=body.thinking,
        client_request_id=None,
        conversation_id=conversation_id,
        request_id=current_request_id(),
    )
    return _told(sent)


@routes.patch(
    "/messages/<message_id>",
    CHAT,
    body=EditBody,
    answer=SentAnswer,
    limit="chat_send",
    refusals=(409, 503),
)
def edit(message_id: str, body: EditBody) -> SentAnswer:
    """Put another text in the place of the last question, and have that answered."""
    sent = service.edit_question(
        caller().person,
        message_id,
        text=body.text,
        client_request_id=None,
        request_id=current_request_id(),
        model=body.model,
    )
    return _told(sent)


@routes.get("/answers/<answer_id>", CHAT, answer=MessageAnswer)
def answer(answer_id: str) -> MessageAnswer:
    """Read an answer, as far as it is written."""
    return of_facts(service.facts(caller().person, answer_id))


@routes.get("/answers/<answer_id>/events", CHAT, answer=Media("text/event-stream"), limit="chat_open_stream")
def events(answer_id: str) -> Response:
    """Follow an answer.

    Server-sent events, each with an id: sent back as Last-Event-ID it continues after that event, on any process.
    """
    return follow_answer(answer_id)


@routes.post("/answers/<answer_id>/stop", CHAT, answer=MessageAnswer)
def stop(answer_id: str) -> MessageAnswer:
    """End an answer that is being written; what was written stays."""
    service.stop_answer(caller().person, answer_id)
    return of_facts(service.facts(caller().person, answer_id))


@routes.post(
    "/answers/<answer_id>/regenerate",
    CHAT,
    body=ModelBody,
    answer=MessageAnswer,
    status=201,
    limit="chat_send",
    idempotent=True,
    refusals=(409, 503),
)
def regenerate(answer_id: str, body: ModelBody) -> MessageAnswer:
    """Answer the last question once more, perhaps by another model."""
    return of_message(
        service.regenerate(caller().person, answer_id, model=body.model, request_id=current_request_id())
    )


@routes.post(
    "/answers/<answer_id>/continue",
    CHAT,
    answer=MessageAnswer,
    limit="chat_send",
    idempotent=True,
    refusals=(409, 503),
)
def go_on(answer_id: str) -> MessageAnswer:
    """Go on with the last answer where it stopped."""
    return of_message(service.continue_answer(caller().person, answer_id, request_id=current_request_id()))


def _told(sent: Sent) -> SentAnswer:
    facts = service.facts_of([sent.question, sent.answer])
    return SentAnswer(
        conversation=of_conversation(sent.conversation, live=True),
        question=of_facts(facts[sent.question.id]),
        answer=of_facts(facts[sent.answer.id]),
    )
