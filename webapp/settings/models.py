"""Settings in the database, and the history of their changes."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from webapp.database import Base, UTCDateTime, exact_string, long_text, public_id_column
from webapp.database.sealed import SealedText

NAME_LENGTH = 64


class StoredSetting(Base):
    """What an administrator set, as JSON; the value of a secret is in `secret`, encrypted, and nowhere else."""

    __tablename__ = "settings"

    name: Mapped[str] = mapped_column(exact_string(NAME_LENGTH), primary_key=True)
    value: Mapped[str] = mapped_column(long_text(), default="null")
    secret: Mapped[str | None] = mapped_column(SealedText())
    version: Mapped[int] = mapped_column(Integer)
    updated_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)


class SettingChange(Base):
    """One version of one setting. `before` and `after` are JSON, null where the environment was in force.

    Of a secret both are masked: that it changed is kept, what it was is not.
    """

    __tablename__ = "setting_changes"
    __table_args__ = (Index("ix_setting_changes_name", "name", "version", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = public_id_column()
    name: Mapped[str] = mapped_column(exact_string(NAME_LENGTH))
    version: Mapped[int] = mapped_column(Integer)
    before: Mapped[str] = mapped_column(long_text())
    after: Mapped[str] = mapped_column(long_text())
    author_kind: Mapped[str] = mapped_column(String(32))
    author_id: Mapped[str] = mapped_column(exact_string(64), default="")
    author_name: Mapped[str] = mapped_column(String(120), default="")
    created_at: Mapped[dt.datetime] = mapped_column(UTCDateTime, index=True)
