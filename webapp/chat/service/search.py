"""Searching one's own conversations by title and text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Subquery, case, func, select
from sqlalchemy.orm import InstrumentedAttribute

from webapp.accounts.models import User
from webapp.chat import rules
from webapp.chat.models import Conversation, Message
from webapp.database import db


@dataclass(frozen=True, slots=True)
class Hit:
    """A conversation that was found: an excerpt of the newest message that matches, and where that stands.

    A title that matches on its own has neither. `before` is set where the message is too old for the conversation's
    last page: its page ends before the message of that id.
    """

    conversation: Conversation
    excerpt: str = ""
    message_id: str | None = None
    is_answer: bool = False
    before: str | None = None


def search_words(text: str) -> list[str]:
    """Return what is searched for: the first few words, without repeats."""
    words = text[: rules.SEARCH_MAX_LENGTH].split()
    return list(dict.fromkeys(words))[: rules.SEARCH_MAX_WORDS]


def search(user: User, text: str) -> tuple[list[Hit], bool]:
    """Return the user's conversations with all words in the title or in one message, and whether there are more.

    The one used last comes first. Only the newest messages are read, so that the cost is bounded.
    """
    words = search_words(text)
    if not words:
        return [], False
    newest_match = _newest_matches(user, words)
    rows = db.session.execute(
        select(Conversation, newest_match.c.message_id)
        .outerjoin(newest_match, newest_match.c.conversation_id == Conversation.id)
        .where(
            Conversation.user_id == user.id,
            Conversation.deleted_at.is_(None),
            Conversation.expires_at.is_(None),
            newest_match.c.message_id.is_not(None) | _has_all(Conversation.title, words),
        )
        .order_by(Conversation.updated_at.desc(), Conversation.id.desc())
        .limit(rules.SEARCH_RESULTS + 1)
    ).all()
    shown = rows[: rules.SEARCH_RESULTS]
    excerpts = _excerpts([row.message_id for row in shown if row.message_id], words[0])
    hits = [excerpts.get(row.message_id) or Hit(row.Conversation) for row in shown]
    return hits, len(rows) > len(shown)


def _newest_matches(user: User, words: Sequence[str]) -> Subquery:
    """Return a subquery: of each conversation the newest message that has all words."""
    oldest = db.session.scalar(
        select(Message.id)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(Message.user_id == user.id, Conversation.expires_at.is_(None))
        .order_by(Message.id.desc())
        .offset(rules.SEARCH_MESSAGES)
        .limit(1)
    )
    return (
        select(Message.conversation_id, func.max(Message.id).label("message_id"))
        .where(
            Message.user_id == user.id,
            Message.id > (oldest or 0),
            Message.superseded_at.is_(None),
            _has_all(Message.text, words),
        )
        .group_by(Message.conversation_id)
        .subquery()
    )


def _has_all(column: InstrumentedAttribute[str], words: Sequence[str]) -> ColumnElement[bool]:
    condition: ColumnElement[bool] = column.icontains(words[0], autoescape=True)
    for word in words[1:]:
        condition &= column.icontains(word, autoescape=True)
    return condition


def _excerpts(message_ids: list[int], word: str) -> dict[int, Hit]:
    """Return the hits by message, with the text around the word; long texts stay in the database."""
    place = func.instr(func.lower(Message.text), func.lower(word))
    start = case((place > rules.SEARCH_LEAD, place - rules.SEARCH_LEAD), else_=1)
    rows = db.session.execute(
        select(
            Message.id,
            Message.public_id,
            Message.role,
            Message.position,
            Conversation,
            start.label("start"),
            func.substr(Message.text, start, rules.SEARCH_EXCERPT).label("excerpt"),
        )
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(Message.id.in_(message_ids))
    )
    return {
        row.id: Hit(
            row.Conversation,
            ("…" if row.start > 1 else "") + " ".join(str(row.excerpt).split()),
            row.public_id,
            row.role == "assistant",
            _page_end(row.Conversation.id, row.position),
        )
        for row in rows
    }


def _page_end(conversation_id: int, position: int) -> str | None:
    """Return the id of the question after a message, if the message is not on the conversation's last page."""
    later = db.session.execute(
        select(Message.public_id, Message.role)
        .where(
            Message.conversation_id == conversation_id,
            Message.position > position,
            Message.superseded_at.is_(None),
        )
        .order_by(Message.position)
        .limit(2 * rules.TURNS_PER_PAGE)
    ).all()
    if len(later) < 2 * rules.TURNS_PER_PAGE:
        return None
    return next((row.public_id for row in later if row.role == "user"), None)
