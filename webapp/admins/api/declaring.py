"""Where the routes of administrators are declared, and what several of them answer."""

from __future__ import annotations

import datetime as dt

from webapp.admins.models import Admin
from webapp.web.api import Answer, Routes

routes = Routes("admin", tag="Administrators")


class AdminAnswer(Answer):
    """An administrator."""

    id: str
    username: str
    display_name: str
    email: str
    role: str
    state: str
    created_at: dt.datetime
    last_login_at: dt.datetime | None


def of_admin(admin: Admin) -> AdminAnswer:
    """Return what administrators see of one another."""
    return AdminAnswer(
        id=admin.public_id,
        username=admin.username,
        display_name=admin.display_name,
        email=admin.email,
        role=admin.role.name,
        state=admin.state,
        created_at=admin.created_at,
        last_login_at=admin.last_login_at,
    )
