"""Conversations: list, make, rename, delete and take back, search, export."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Final

from pydantic import Field

from webapp.chat import rules, service
from webapp.chat.api.declaring import (
    CHAT,
    ConversationAnswer,
    MessageAnswer,
    of_conversation,
    of_facts,
    routes,
)
from webapp.chat.models import Conversation
from webapp.web.api import Answer, Body, ListQuery, Query, caller, listing

EXPORT_BATCH: Final = 200


class TitleBody(Body):
    """What a conversation is called."""

    title: Annotated[str, Field(min_length=1, max_length=rules.TITLE_MAX_LENGTH)]


class NewBody(Body):
    """A conversation that is to be made."""

    title: Annotated[
        str | None,
        Field(min_length=1, max_length=rules.TITLE_MAX_LENGTH, description="left out: its first question"),
    ] = None


class SearchQuery(Query):
    """What is searched for."""

    q: Annotated[str, Field(min_length=1, max_length=rules.SEARCH_MAX_LENGTH)]


class ConversationsAnswer(Answer):
    """A page of conversations, the one used last first."""

    items: list[ConversationAnswer]
    next: str | None


class HitAnswer(Answer):
    """A conversation that was found, and the text around the word where a message was."""

    conversation: ConversationAnswer
    message_id: str | None
    excerpt: str


class HitsAnswer(Answer):
    """What was found; `more` tells that there is more than is listed."""

    items: list[HitAnswer]
    more: bool


class ExportAnswer(Answer):
    """A whole conversation, with the messages that were replaced."""

    id: str
    title: str
    created_at: dt.datetime
    messages: list[MessageAnswer]


@routes.get("/conversations", CHAT, query=ListQuery, answer=ConversationsAnswer)
def conversations(query: ListQuery) -> dict[str, Any]:
    """List your conversations, the one used last first."""
    person = caller().person
    page = service.conversations(person, query.cursor, limit=query.limit)
    live = service.live_conversation_ids(person)
    return listing(page, lambda each: of_conversation(each, live=each.id in live))


@routes.post("/conversations", CHAT, body=NewBody, answer=ConversationAnswer, status=201, idempotent=True)
def create(body: NewBody) -> ConversationAnswer:
    """Make an empty conversation."""
    return of_conversation(service.create(caller().person, body.title or ""), live=False)


@routes.get("/conversations/search", CHAT, query=SearchQuery, answer=HitsAnswer, limit="chat_search")
def search(query: SearchQuery) -> HitsAnswer:
    """Find conversations by their titles and messages."""
    person = caller().person
    hits, more = service.search(person, query.q.strip())
    live = service.live_conversation_ids(person)
    items = [
        HitAnswer(
            conversation=of_conversation(hit.conversation, live=hit.conversation.id in live),
            message_id=hit.message_id,
            excerpt=hit.excerpt,
        )
        for hit in hits
    ]
    return HitsAnswer(items=items, more=more)


@routes.get("/conversations/<conversation_id>", CHAT, answer=ConversationAnswer)
def conversation(conversation_id: str) -> ConversationAnswer:
    """Describe a conversation."""
    return _told(service.get_conversation(caller().person, conversation_id))


@routes.patch("/conversations/<conversation_id>", CHAT, body=TitleBody, answer=ConversationAnswer)
def rename(conversation_id: str, body: TitleBody) -> ConversationAnswer:
    """Give a conversation another title."""
    return _told(service.rename(caller().person, conversation_id, body.title))


@routes.delete("/conversations/<conversation_id>", CHAT)
def delete(conversation_id: str) -> None:
    """Delete a conversation.

    Answers being written in it are stopped. It can be taken back for seven days.
    """
    service.delete(caller().person, conversation_id)


@routes.post("/conversations/<conversation_id>/restore", CHAT, answer=ConversationAnswer)
def restore(conversation_id: str) -> ConversationAnswer:
    """Take a deleted conversation back."""
    return _told(service.restore(caller().person, conversation_id))


@routes.get("/conversations/<conversation_id>/export", CHAT, answer=ExportAnswer)
def export(conversation_id: str) -> ExportAnswer:
    """Export a conversation, whole."""
    found = service.get_conversation(caller().person, conversation_id)
    told: list[MessageAnswer] = []
    after: str | None = None
    while True:
        page = service.messages(found, after, limit=EXPORT_BATCH, replaced=True)
        facts = service.facts_of(page.items)
        told += [of_facts(facts[message.id]) for message in page.items]
        after = page.next_cursor
        if after is None:
            break
    return ExportAnswer(id=found.public_id, title=found.title, created_at=found.created_at, messages=told)


def _told(found: Conversation) -> ConversationAnswer:
    return of_conversation(found, live=found.id in service.live_conversation_ids(caller().person))
