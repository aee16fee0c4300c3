"""Prompts that are asked by a schedule, and what came of each run."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.chat.rules import MODEL_NAME_MAX_LENGTH
from webapp.database import Base, UTCDateTime, created_at_column, exact_string, long_text, public_id_column
from webapp.prompts import rules
from webapp.prompts.rules import Destination
from webapp.tasks.models import Task

_run_key = BigInteger().with_variant(Integer, "sqlite")


class ScheduledPrompt(Base):
    """What somebody wants asked again and again. When, and whether, is the business of its task.

    What it is called and asks stands here alone: tasks, runs and the audit log are shown to administrators.
    """

    __tablename__ = "scheduled_prompts"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = public_id_column()
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    task_id: Mapped[int] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"), unique=True)
    name: Mapped[str] = mapped_column(String(rules.NAME_LENGTH))
    text: Mapped[str] = mapped_column(long_text())
    model: Mapped[str] = mapped_column(String(MODEL_NAME_MAX_LENGTH))
    destination: Mapped[str] = mapped_column(String(16), default=Destination.EACH.value)
    conversation_id: Mapped[int | None] = mapped_column(
        ForeignKey("conversations.id", ondelete="SET NULL"), index=True
    )
    mail: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[dt.datetime] = created_at_column()

    task: Mapped[Task] = relationship(lazy="joined")


class PromptRun(Base):
    """What came of a run: its answer, its usage, and why it has none that is whole."""

    __tablename__ = "prompt_runs"

    run_id: Mapped[int] = mapped_column(
        _run_key, ForeignKey("task_runs.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    prompt_id: Mapped[int] = mapped_column(ForeignKey("scheduled_prompts.id", ondelete="CASCADE"), index=True)
    answer_id: Mapped[int | None] = mapped_column(ForeignKey("messages.id", ondelete="SET NULL"), index=True)
    model: Mapped[str] = mapped_column(String(MODEL_NAME_MAX_LENGTH))
    problem: Mapped[str] = mapped_column(exact_string(40), default="")
    prompt_tokens: Mapped[int] = mapped_column(Integer, default=0)
    completion_tokens: Mapped[int] = mapped_column(Integer, default=0)
    estimated: Mapped[bool] = mapped_column(default=False)
    cost_micros: Mapped[int | None] = mapped_column(BigInteger)
    ended_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
