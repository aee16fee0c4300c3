"""Somebody's chats in the export of their data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import select

from webapp.accounts.models import User
from webapp.accounts.service import Archive, in_batches
from webapp.chat.models import Conversation, Message
from webapp.database import db


def export(user: User, archive: Archive) -> None:
    """Write each chat as a page and as JSON, answers that were replaced included."""
    for number, conversation in enumerate(in_batches(_conversations(user), Conversation.id), 1):
        name, title = f"chats/{number:05d}", conversation.title or _("Chat without a title")
        archive.json(f"{name}.json", _records(conversation))
        archive.text(f"{name}.html", title, _blocks(conversation), listed=title)


def _conversations(user: User) -> Any:
    return select(Conversation).where(
        Conversation.user_id == user.id, Conversation.deleted_at.is_(None), Conversation.expires_at.is_(None)
    )


def _messages(conversation: Conversation) -> Iterator[Message]:
    """Yield the messages as they stand, one question after the other with its answer."""
    ids = db.session.scalars(
        select(Message.id)
        .where(Message.conversation_id == conversation.id)
        .order_by(Message.position, Message.version)
    ).all()
    for message_id in ids:
        message = db.session.get_one(Message, message_id)
        yield message
        db.session.expunge(message)


def _records(conversation: Conversation) -> Iterator[dict[str, Any]]:
    yield {"title": conversation.title, "created_at": conversation.created_at}
    for each in _messages(conversation):
        names = ("role", "text", "reasoning", "model", "created_at", "superseded_at")
        yield {name: getattr(each, name) for name in names}


def _blocks(conversation: Conversation) -> Iterator[Markup]:
    for each in _messages(conversation):
        if each.superseded_at is None:
            who = _("You") if each.role == "user" else each.model
            yield Markup("<h2>{}</h2><pre>{}</pre>\n").format(who, each.text)
