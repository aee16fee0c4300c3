"""E-mailed codes and login sessions."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from webapp.database import Base, UTCDateTime, created_at_column, exact_string, public_id_column
from webapp.identity import rules


class VerificationCode(Base):
    """A code that was mailed, or would have been: only a keyed hash of it is kept."""

    __tablename__ = "verification_codes"
    __table_args__ = (Index("ix_verification_codes_address", "address", "purpose", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = public_id_column()
    purpose: Mapped[str] = mapped_column(String(32))
    address: Mapped[str] = mapped_column(exact_string(rules.EMAIL_MAX_LENGTH))
    code_hash: Mapped[str] = mapped_column(exact_string(64))
    tries_left: Mapped[int] = mapped_column(Integer, default=rules.CODE_TRIES)
    created_at: Mapped[dt.datetime] = mapped_column(UTCDateTime, index=True)
    expires_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    used_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)


class LoginSession(Base):
    """Somebody signed in on a device. The row decides whether that still holds, not the cookie."""

    __tablename__ = "login_sessions"
    __table_args__ = (Index("ix_login_sessions_subject", "realm", "subject_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = public_id_column()
    token_hash: Mapped[str] = mapped_column(exact_string(64), unique=True)
    realm: Mapped[str] = mapped_column(String(16))
    subject_id: Mapped[int] = mapped_column(Integer)
    user_agent: Mapped[str] = mapped_column(String(rules.USER_AGENT_LENGTH), default="")
    address: Mapped[str] = mapped_column(String(64), default="")
    created_at: Mapped[dt.datetime] = created_at_column()
    last_seen_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[dt.datetime] = mapped_column(UTCDateTime, index=True)
    revoked_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
