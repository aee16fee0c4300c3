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


class _Sums:
    """What some entries add up to."""

    answers: Mapped[int] = mapped_column(Integer)
    prompt_tokens: Mapped[int] = mapped_column(BigInteger)
    completion_tokens: Mapped[int] = mapped_column(BigInteger)
    cost_micros: Mapped[int] = mapped_column(BigInteger)
    priced: Mapped[int] = mapped_column(Integer)  # of the answers, those with a known price


class UsageDay(_Sums, Base):
    """What the entries of one day in UTC add up to, by user and model; made anew from the entries when these change."""

    __tablename__ = "usage_days"
    __table_args__ = (Index("ix_usage_days_day", "day", "user_id", "model"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    model: Mapped[str] = mapped_column(String(120))


class UsageHour(_Sums, Base):
    """What the entries of one hour add up to, by ending."""

    __tablename__ = "usage_hours"
    __table_args__ = (Index("ix_usage_hours_hour", "hour", "ending"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    hour: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    ending: Mapped[str] = mapped_column(String(16))


class UsageWait(Base):
    """How many answers of one hour began after how long, in bins."""

    __tablename__ = "usage_waits"
    __table_args__ = (Index("ix_usage_waits_hour", "hour"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    hour: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    place: Mapped[int] = mapped_column(Integer)
    answers: Mapped[int] = mapped_column(Integer)


class UsageRollup(Base):
    """How far the entries are added up: every day before `until`, of entries up to `last_entry_id`; the only row."""

    __tablename__ = "usage_rollup"

    id: Mapped[int] = mapped_column(primary_key=True)
    until: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    last_entry_id: Mapped[int] = mapped_column(Integer)


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
