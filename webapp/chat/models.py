"""Conversations, their messages, the generations that write answers, and the journal of live text."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.chat import rules
from webapp.chat.rules import AnswerState
from webapp.database import Base, UTCDateTime, created_at_column, exact_string, long_text, public_id_column
from webapp.lib import clock


class Conversation(Base):
    """A thread of questions and answers that belongs to one user.

    One that expires holds a single question of a program: it is in no list, and removed then.
    """

    __tablename__ = "conversations"
    __table_args__ = (Index("ix_conversations_newest", "user_id", "deleted_at", "updated_at", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = public_id_column()
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(rules.TITLE_MAX_LENGTH), default="")
    title_is_final: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[dt.datetime] = created_at_column()
    updated_at: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=clock.utc_now)
    deleted_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    expires_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime, index=True)


class Message(Base):
    """A question or an answer; of the versions at one position, the one that is not superseded is shown."""

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("conversation_id", "position", "version"),
        UniqueConstraint("user_id", "client_request_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = public_id_column()
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(Integer)
    version: Mapped[int] = mapped_column(Integer, default=0)
    role: Mapped[str] = mapped_column(String(16))
    text: Mapped[str] = mapped_column(long_text(), default="")
    reasoning: Mapped[str] = mapped_column(long_text(), default="")
    reasoning_ms: Mapped[int | None] = mapped_column(Integer)
    model: Mapped[str] = mapped_column(String(rules.MODEL_NAME_MAX_LENGTH), default="")
    client_request_id: Mapped[str | None] = mapped_column(exact_string(rules.CLIENT_REQUEST_ID_MAX_LENGTH))
    created_at: Mapped[dt.datetime] = created_at_column()
    superseded_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)

    conversation: Mapped[Conversation] = relationship(lazy="raise")


class Generation(Base):
    """One run of a model that writes (or continues) an answer; the last one of a message gives its state."""

    __tablename__ = "generations"
    __table_args__ = (
        Index("ix_generations_process", "state", "process"),
        Index("ix_generations_message", "message_id", "id"),
        Index("ix_generations_user", "user_id", "state"),
        Index("ix_generations_ended", "state", "finished_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    model: Mapped[str] = mapped_column(String(rules.MODEL_NAME_MAX_LENGTH))
    thinking: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(String(16), default=AnswerState.STREAMING.value)
    process: Mapped[str] = mapped_column(exact_string(80))
    first_tick: Mapped[int] = mapped_column(BigInteger, default=0)
    base_text_length: Mapped[int] = mapped_column(Integer, default=0)
    base_reasoning_length: Mapped[int] = mapped_column(Integer, default=0)
    lease_until: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    stop_requested_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[dt.datetime] = created_at_column()
    first_token_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    finished_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    prompt_tokens: Mapped[int | None] = mapped_column(Integer)
    completion_tokens: Mapped[int | None] = mapped_column(Integer)
    usage_estimated: Mapped[bool] = mapped_column(default=False)
    error_kind: Mapped[str | None] = mapped_column(String(40))
    request_id: Mapped[str] = mapped_column(String(64), default="")

    @property
    def answer_state(self) -> AnswerState:
        """The state as an enum member."""
        return AnswerState(self.state)


class AnswerSegment(Base):
    """The new text of all live answers of one process in one tick.

    `entries` is a JSON list of `[generation_id, channel, pos, text]`; channel 0 is the answer, 1 the reasoning,
    2 a wait of `pos` seconds that the provider asked for, 3 the end with the state in `text`.
    """

    __tablename__ = "answer_segments"
    __table_args__ = (UniqueConstraint("process", "tick"),)

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    process: Mapped[str] = mapped_column(exact_string(80))
    tick: Mapped[int] = mapped_column(BigInteger)
    entries: Mapped[str] = mapped_column(long_text())
    created_at: Mapped[dt.datetime] = created_at_column()
