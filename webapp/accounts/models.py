"""Users, and the words by which they are found."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import url_for
from flask_login import UserMixin
from sqlalchemy import Connection, ForeignKey, Index, String, delete, event, insert, inspect
from sqlalchemy.orm import Mapped, Mapper, mapped_column, validates

from webapp.accounts import rules
from webapp.accounts.rules import NEVER, UserState
from webapp.accounts.words import WORD_MAX_LENGTH, folded, words_of
from webapp.audit.service import Party
from webapp.database import Base, UTCDateTime, created_at_column, exact_string, public_id_column
from webapp.identity.rules import EMAIL_MAX_LENGTH


class User(Base, UserMixin):  # type: ignore[misc]
    """A person with an account. The canonical columns decide who is who."""

    __tablename__ = "users"
    __table_args__ = (
        Index("ix_users_seen", "last_seen_at", "id"),
        Index("ix_users_joined", "created_at", "id"),
        Index("ix_users_name", "sort_name", "id"),
        Index("ix_users_email", "email_canonical", "id"),
        Index("ix_users_state_seen", "state", "last_seen_at", "id"),
        Index("ix_users_state_joined", "state", "created_at", "id"),
        Index("ix_users_verified", "verified_at", "last_seen_at", "id"),
    )

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
    last_seen_at: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=NEVER)  # kept to some minutes
    verified_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)  # that mail to the address arrives
    sort_name: Mapped[str] = mapped_column(exact_string(rules.DISPLAY_NAME_MAX_LENGTH), default="")
    pending_email: Mapped[str | None] = mapped_column(String(EMAIL_MAX_LENGTH))
    deletion_due_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime, index=True)

    __allow_unmapped__ = True
    session_token: str | None = None  # of this sign-in; not a column

    def get_id(self) -> str:
        """Return the token of this sign-in, which Flask-Login keeps in the cookie; never the number of the row."""
        return self.session_token or ""

    @validates("display_name")
    def _keep_sort_name(self, _name: str, display_name: str) -> str:
        self.sort_name = folded(display_name)[: rules.DISPLAY_NAME_MAX_LENGTH]
        return display_name

    def audit_party(self) -> Party:
        """Return how the audit log names this person."""
        return Party("user", self.public_id, self.username)

    @property
    def avatar_url(self) -> str | None:
        """The address of the picture, None without one."""
        return url_for("accounts.avatar", avatar_id=self.avatar_id) if self.avatar_id else None


class UserWord(Base):
    """A word by which a user is found; kept in step with the names and the address by `_store_words`."""

    __tablename__ = "user_words"

    word: Mapped[str] = mapped_column(exact_string(WORD_MAX_LENGTH), primary_key=True)
    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True, autoincrement=False
    )


_FOUND_BY = ("display_name", "username", "email")


@event.listens_for(User, "after_insert")
@event.listens_for(User, "after_update")
def _store_words(_mapper: Mapper[User], connection: Connection, user: User) -> None:
    """Write the words anew, in the transaction of the change, whoever makes it."""
    state: Any = inspect(user)
    if not any(state.attrs[name].history.has_changes() for name in _FOUND_BY):
        return
    words = words_of(*(getattr(user, name) for name in _FOUND_BY))
    connection.execute(delete(UserWord).where(UserWord.user_id == user.id))
    if words:
        connection.execute(insert(UserWord), [{"word": word, "user_id": user.id} for word in sorted(words)])
