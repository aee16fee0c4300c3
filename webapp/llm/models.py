"""The usage ledger: what each run of a model took."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from webapp.database import Base, UTCDateTime, created_at_column, exact_string


class UsageEntry(Base):
    """Tokens of one finished run of a model, whatever its ending; never changed once written."""

    __tablename__ = "usage_entries"
    __table_args__ = (
        Index("ix_usage_entries_user", "user_id", "created_at"),
        # Holds all that the overview adds up, so that a million rows are counted without being fetched.
        Index(
            "ix_usage_entries_figures",
            "created_at",
            "ending",
            "model",
            "user_id",
            "prompt_tokens",
            "completion_tokens",
            "cost_micros",
            "first_token_ms",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    source: Mapped[str] = mapped_column(String(40), unique=True)
    model: Mapped[str] = mapped_column(String(120))
    ending: Mapped[str] = mapped_column(String(16))
    prompt_tokens: Mapped[int] = mapped_column(Integer)
    completion_tokens: Mapped[int] = mapped_column(Integer)
    estimated: Mapped[bool] = mapped_column(default=False)
    cost_micros: Mapped[int | None] = mapped_column(
        BigInteger
    )  # millionths of PRICE_CURRENCY; null: no price known
    first_token_ms: Mapped[int | None] = mapped_column(Integer)  # from the question to the first word
    created_at: Mapped[dt.datetime] = created_at_column()


class RunningCall(Base):
    """A program's call of a model that has not ended; it becomes an entry of the ledger when it does.

    While its process lives, the lease is renewed; of a process that is gone, another one writes the entry.
    """

    __tablename__ = "running_calls"
    __table_args__ = (Index("ix_running_calls_user", "user_id", "lease_until"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(exact_string(40), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    model: Mapped[str] = mapped_column(String(120))
    process: Mapped[str] = mapped_column(exact_string(80))
    prompt_tokens: Mapped[int] = mapped_column(Integer)  # estimated, for the entry of a call that was lost
    lease_until: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    created_at: Mapped[dt.datetime] = created_at_column()
