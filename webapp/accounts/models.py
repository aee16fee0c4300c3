"""Users."""

from __future__ import annotations

import datetime as dt

from flask import url_for
from flask_login import UserMixin
from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from webapp.accounts import rules
from webapp.accounts.rules import UserState
from webapp.audit.service import Party
from webapp.database import Base, UTCDateTime, created_at_column, exact_string, public_id_column
from webapp.identity.rules import EMAIL_MAX_LENGTH


class User(Base, UserMixin):  # type: ignore[misc]
    """A person with an account. The canonical columns decide who is who."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = public_id_column()
    email: Mapped[str] = mapped_column(String(EMAIL_MAX_LENGTH))
    email_canonical: Mapped[str] = mapped_column(exact_string(EMAIL_MAX_LENGTH), unique=True)
    username: Mapped[str] = mapped_column(String(rules.USERNAME_MAX_LENGTH))
    username_canonical: Mapped[str] = mapped_column(exact_string(rules.USERNAME_MAX_LENGTH), unique=True)
    display_name: Mapped[str] = mapped_column(String(rules.DISPLAY_NAME_MAX_LENGTH))
    password_hash: Mapped[str] = mapped_column(String(255))
    password_changed_at: Mapped[dt.datetime] = created_at_column()
    locale: Mapped[str | None] = mapped_column(String(10))
    timezone: Mapped[str | None] = mapped_column(String(64))
    avatar_id: Mapped[str | None] = mapped_column(exact_string(64), unique=True)
    state: Mapped[str] = mapped_column(String(16), default=UserState.ACTIVE.value)
    created_at: Mapped[dt.datetime] = created_at_column()
    last_login_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    pending_email: Mapped[str | None] = mapped_column(String(EMAIL_MAX_LENGTH))
    deletion_due_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime, index=True)

    __allow_unmapped__ = True
    session_token: str | None = None  # of this sign-in; not a column

    def get_id(self) -> str:
        """Return the token of this sign-in, which Flask-Login keeps in the cookie; never the number of the row."""
        return self.session_token or ""

    def audit_party(self) -> Party:
        """Return how the audit log names this person."""
        return Party("user", self.public_id, self.username)

    @property
    def avatar_url(self) -> str | None:
        """The address of the picture, None without one."""
        return url_for("accounts.avatar", avatar_id=self.avatar_id) if self.avatar_id else None
