"""Announcements, and who has put which away."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from webapp.announcements.rules import Stage
from webapp.audit.service import Party
from webapp.database import Base, UTCDateTime, created_at_column, long_text, public_id_column
from webapp.lib import clock


class Announcement(Base):
    """A text in Markdown, in one language or both, for an audience and for some time."""

    __tablename__ = "announcements"
    __table_args__ = (
        Index("ix_announcements_newest", "created_at", "id"),
        Index("ix_announcements_time", "starts_at", "ends_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = public_id_column()
    text_en: Mapped[str] = mapped_column(long_text(), default="")
    text_zh: Mapped[str] = mapped_column(long_text(), default="")
    audience: Mapped[str] = mapped_column(String(16))
    level: Mapped[str] = mapped_column(String(16))
    starts_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    ends_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    author_name: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[dt.datetime] = created_at_column()
    updated_at: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=clock.utc_now)

    @property
    def stage(self) -> Stage:
        """Where it stands now."""
        now = clock.utc_now()
        if self.starts_at > now:
            return Stage.PLANNED
        return Stage.PAST if self.ends_at is not None and self.ends_at <= now else Stage.SHOWN

    @property
    def title(self) -> str:
        """The first line, without the signs of Markdown before it."""
        lines = (self.text_en or self.text_zh).strip().splitlines()
        return lines[0].lstrip("#*->+ ")[:80] if lines else ""

    def audit_party(self) -> Party:
        """Return how the audit log names it."""
        return Party("announcement", self.public_id, self.title)


class AnnouncementDismissal(Base):
    """Somebody has put an announcement away; a change of its text brings it back."""

    __tablename__ = "announcement_dismissals"

    announcement_id: Mapped[int] = mapped_column(
        ForeignKey("announcements.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    realm: Mapped[str] = mapped_column(String(16), primary_key=True)
    subject_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    dismissed_at: Mapped[dt.datetime] = created_at_column()
