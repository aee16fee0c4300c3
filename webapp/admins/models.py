"""Administrators, their roles, and the one-time set-up link."""

from __future__ import annotations

import datetime as dt
import json
from functools import lru_cache

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.accounts.rules import DISPLAY_NAME_MAX_LENGTH, USERNAME_MAX_LENGTH
from webapp.admins import rules
from webapp.admins.permissions import BUILT_IN_GRANTS
from webapp.admins.rules import AdminState
from webapp.audit.service import Party
from webapp.database import (
    Base,
    UTCDateTime,
    created_at_column,
    exact_string,
    long_text,
    public_id_column,
)
from webapp.identity.rules import EMAIL_MAX_LENGTH


@lru_cache(maxsize=256)
def _read(permissions: str) -> frozenset[str]:
    """Return the names in a role's column; every page asks for them many times."""
    return frozenset(json.loads(permissions))


class Role(Base):
    """A named set of permissions; those that come with the program cannot be changed."""

    __tablename__ = "roles"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = public_id_column()
    name: Mapped[str] = mapped_column(exact_string(rules.ROLE_NAME_MAX_LENGTH), unique=True)
    description: Mapped[str] = mapped_column(String(rules.ROLE_DESCRIPTION_MAX_LENGTH), default="")
    permissions: Mapped[str] = mapped_column(long_text(), default="[]")
    built_in: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[dt.datetime] = created_at_column()

    @property
    def granted(self) -> frozenset[str]:
        """The names of the permissions it grants; those of a built-in role are what this version says."""
        if self.built_in:
            return BUILT_IN_GRANTS.get(self.name, frozenset())
        return _read(self.permissions)

    def audit_party(self) -> Party:
        """Return how the audit log names this role."""
        return Party("role", self.public_id, self.name)


class Admin(Base):
    """Somebody who runs the program; has nothing in common with a user of the same name or number."""

    __tablename__ = "admins"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = public_id_column()
    username: Mapped[str] = mapped_column(String(USERNAME_MAX_LENGTH))
    username_canonical: Mapped[str] = mapped_column(exact_string(USERNAME_MAX_LENGTH), unique=True)
    email: Mapped[str] = mapped_column(String(EMAIL_MAX_LENGTH))
    email_canonical: Mapped[str] = mapped_column(exact_string(EMAIL_MAX_LENGTH), unique=True)
    display_name: Mapped[str] = mapped_column(String(DISPLAY_NAME_MAX_LENGTH))
    password_hash: Mapped[str] = mapped_column(String(255))
    password_changed_at: Mapped[dt.datetime] = created_at_column()
    role_id: Mapped[int] = mapped_column(ForeignKey("roles.id"))
    locale: Mapped[str | None] = mapped_column(String(10))
    timezone: Mapped[str | None] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16), default=AdminState.ACTIVE.value)
    created_at: Mapped[dt.datetime] = created_at_column()
    last_login_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)

    role: Mapped[Role] = relationship(lazy="joined")

    def may(self, permission: str) -> bool:
        """Tell whether the role of this administrator grants a permission."""
        return permission in self.role.granted

    def audit_party(self) -> Party:
        """Return how the audit log names this administrator."""
        return Party("admin", self.public_id, self.username)


class SetupLink(Base):
    """The one link by which the first administrator is made: one row, id 1, locked by whoever uses it."""

    __tablename__ = "setup_links"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    token_hash: Mapped[str] = mapped_column(exact_string(64))
    expires_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    used_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
