"""Passwords that everybody tries first, looked for among administrators."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select

from webapp.admins.models import Admin
from webapp.admins.rules import AdminState
from webapp.database import db
from webapp.identity import service as identity

TRIED_FIRST: Final = ("admin", "administrator", "password", "changeme", "admin123", "123456")
LOOKED_AT: Final = 20  # each try takes as long as a sign-in


def with_default_passwords() -> list[str]:
    """Return the names of administrators who can sign in with such a password, or with their own name."""
    query = select(Admin).where(Admin.state == AdminState.ACTIVE.value).order_by(Admin.id).limit(LOOKED_AT)
    return [
        admin.username
        for admin in db.session.scalars(query)
        if any(
            identity.password_matches(word, admin.password_hash) for word in (*TRIED_FIRST, admin.username)
        )
    ]
