"""Conversations: list, rename, delete and take back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from flask_babel import gettext as _
from sqlalchemy import delete as sql_delete
from sqlalchemy import func, select

from webapp import bus
from webapp.accounts.models import User
from webapp.chat import rules
from webapp.chat.models import Conversation, Generation, Message
from webapp.chat.rules import AnswerState
from webapp.database import Page, after_commit, db, newest_first, write_transaction
from webapp.errors import Invalid, NotFound
from webapp.lib import clock
from webapp.lib.text import without_lone_surrogates


def get_conversation(user: User, conversation_id: str) -> Conversation:
    """Return a conversation of the user; raises NotFound for anybody else's and for a deleted one."""
    conversation = _find(user, conversation_id)
    if conversation is None or conversation.deleted_at is not None:
        raise _no_such_conversation()
    return conversation


def conversations(
    user: User, after: str | None = None, *, limit: int = rules.CONVERSATIONS_PER_PAGE
) -> Page[Conversation]:
    """Return a page of the user's conversations, the one used last first."""
    query = select(Conversation).where(
        Conversation.user_id == user.id, Conversation.deleted_at.is_(None), Conversation.expires_at.is_(None)
    )
    return newest_first(query, Conversation.updated_at, Conversation.id, after=after, limit=limit)


@write_transaction
def create(user: User, title: str = "") -> Conversation:
    """Make an empty conversation; without a title it is called by its first question."""
    conversation = Conversation(user_id=user.id, title="")
    if title:
        conversation.title, conversation.title_is_final = _checked_title(title), True
    db.session.add(conversation)
    db.session.flush()
    return conversation


def live_conversation_ids(user: User) -> set[int]:
    """Return the ids of the user's conversations in which an answer is being written."""
    query = (
        select(Message.conversation_id)
        .join(Generation, Generation.message_id == Message.id)
        .where(Generation.user_id == user.id, Generation.state == AnswerState.STREAMING.value)
    )
    return set(db.session.scalars(query))


def users_with_live_answers(user_ids: Collection[int]) -> set[int]:
    """Return those of the users for whom an answer is being written."""
    query = select(Generation.user_id).where(
        Generation.user_id.in_(user_ids), Generation.state == AnswerState.STREAMING.value
    )
    return set(db.session.scalars(query))


def live_answers(user_id: int) -> int:
    """Return how many answers are being written for a user."""
    query = (
        select(func.count())
        .select_from(Generation)
        .where(Generation.user_id == user_id, Generation.state == AnswerState.STREAMING.value)
    )
    return db.session.scalar(query) or 0


@write_transaction
def rename(user: User, conversation_id: str, title: str) -> Conversation:
    """Give a conversation a title of the person's own."""
    conversation = get_conversation(user, conversation_id)
    conversation.title, conversation.title_is_final = _checked_title(title), True
    return conversation


@write_transaction
def delete(user: User, conversation_id: str) -> Conversation:
    """Delete a conversation; it can be taken back for some days. Answers being written in it are stopped."""
    conversation = get_conversation(user, conversation_id)
    conversation.deleted_at = clock.utc_now()
    live = select(Generation).join(Message, Message.id == Generation.message_id)
    for generation in db.session.scalars(
        live.where(
            Message.conversation_id == conversation.id, Generation.state == AnswerState.STREAMING.value
        )
    ):
        generation.stop_requested_at = clock.utc_now()
    after_commit(lambda: bus.hints().tell(rules.STOP_TOPIC))
    return conversation


@write_transaction
def restore(user: User, conversation_id: str) -> Conversation:
    """Take a deleted conversation back; harmless when it is not deleted."""
    conversation = _find(user, conversation_id)
    if conversation is None:
        raise _no_such_conversation()
    conversation.deleted_at = None
    return conversation


@write_transaction
def purge_deleted() -> int:
    """Remove for good what was deleted longer ago than it can be taken back; return how many."""
    old = clock.utc_now() - dt.timedelta(days=rules.UNDO_DAYS)
    result = db.session.execute(
        sql_delete(Conversation).where(Conversation.deleted_at < old),
        execution_options={"synchronize_session": False},
    )
    return int(getattr(result, "rowcount", 0))


@write_transaction
def purge_expired() -> int:
    """Remove the questions of programs whose answers are kept no longer; return how many."""
    live = select(Message.conversation_id).join(Generation, Generation.message_id == Message.id)
    result = db.session.execute(
        sql_delete(Conversation).where(
            Conversation.expires_at < clock.utc_now(),
            Conversation.id.not_in(live.where(Generation.state == AnswerState.STREAMING.value)),
        ),
        execution_options={"synchronize_session": False},
    )
    return int(getattr(result, "rowcount", 0))


def _checked_title(title: str) -> str:
    title = " ".join(without_lone_surrogates(title).replace("\x00", "").split())
    if not title:
        raise Invalid(_("Enter a title."), field="title")
    if len(title) > rules.TITLE_MAX_LENGTH:
        sentence = _("A title has at most %(limit)s characters.", limit=rules.TITLE_MAX_LENGTH)
        raise Invalid(sentence, field="title")
    return title


def _find(user: User, conversation_id: str) -> Conversation | None:
    return db.session.scalar(
        select(Conversation).where(
            Conversation.public_id == conversation_id,
            Conversation.user_id == user.id,
            Conversation.expires_at.is_(None),
        )
    )


def _no_such_conversation() -> NotFound:
    return NotFound(_("There is no such conversation. It may have been deleted."))
