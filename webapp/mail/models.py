"""The outbox: mail that is to be sent, written in the transaction of what it tells about."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from sqlalchemy import Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from webapp.database import Base, UTCDateTime, created_at_column, long_text, public_id_column
from webapp.lib import clock


class MailState(StrEnum):
    """Where a mail stands."""

    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    WITHHELD = "withheld"  # goes to nobody; written where the time a request takes must not tell whether mail goes out


class MailMessage(Base):
    """One mail to one receiver.

    `sealed_context` is what its template takes, encrypted; it is erased once the mail is sent, cancelled or too late.
    """

    __tablename__ = "mail_outbox"
    __table_args__ = (
        Index("ix_mail_outbox_due", "state", "next_attempt_at"),
        Index("ix_mail_outbox_newest", "created_at", "id"),
        Index("ix_mail_outbox_state", "state", "created_at", "id"),
        Index("ix_mail_outbox_address", "to_address", "created_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = public_id_column()
    to_address: Mapped[str] = mapped_column(String(254))
    template: Mapped[str] = mapped_column(String(40))
    locale: Mapped[str] = mapped_column(String(10))
    sealed_context: Mapped[str] = mapped_column(long_text())
    state: Mapped[str] = mapped_column(String(16), default=MailState.QUEUED.value)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    next_attempt_at: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=clock.utc_now)
    expires_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    last_error: Mapped[str] = mapped_column(String(300), default="")
    created_at: Mapped[dt.datetime] = created_at_column()
    sent_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
