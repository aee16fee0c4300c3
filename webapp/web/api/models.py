"""Which calls were made under which Idempotency-Key, and what they were answered."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from webapp.database import Base, UTCDateTime, created_at_column, exact_string
from webapp.database.sealed import SealedText


class IdempotencyKey(Base):
    """A call under a key. Without a status it is under way; the answer may hold a secret and is encrypted."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (UniqueConstraint("caller", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    caller: Mapped[str] = mapped_column(exact_string(64))
    key: Mapped[str] = mapped_column(exact_string(128))
    fingerprint: Mapped[str] = mapped_column(String(64))
    status: Mapped[int | None] = mapped_column(Integer)
    answer: Mapped[str | None] = mapped_column(SealedText())
    created_at: Mapped[dt.datetime] = created_at_column()
    expires_at: Mapped[dt.datetime] = mapped_column(UTCDateTime, index=True)
