"""Signing in and out as an administrator."""

from __future__ import annotations

from flask_babel import gettext as _

from webapp.admins.accounts import find_admin
from webapp.admins.models import Admin
from webapp.admins.rules import AdminState
from webapp.audit import service as audit
from webapp.audit.rules import Event
from webapp.database import write_transaction
from webapp.errors import Invalid
from webapp.identity import service as identity
from webapp.identity.rules import Realm
from webapp.lib import clock


def log_in(*, login: str, password: str, user_agent: str, address: str) -> str:
    """Begin a session and return its token; the refusal is the same whatever was wrong."""
    admin = find_admin(login)
    stored = admin.password_hash if admin else None
    right = identity.password_matches(password, stored)
    if admin is None or stored is None or not right or admin.state != AdminState.ACTIVE.value:
        audit.record_alone(Event.ADMIN_SIGN_IN_REFUSED, actor=audit.STRANGER, target=admin)
        raise _refused()
    token = _begin(admin, stored, user_agent=user_agent, address=address)
    if token is None:
        raise _refused()
    return token


@write_transaction
def log_out(admin: Admin, session_id: int) -> None:
    """End the session."""
    identity.end_session(session_id)
    audit.record(Event.ADMIN_SIGNED_OUT, actor=admin)


@write_transaction
def _begin(admin: Admin, checked_hash: str, *, user_agent: str, address: str) -> str | None:
    if admin.password_hash != checked_hash or admin.state != AdminState.ACTIVE.value:
        return None
    admin.last_login_at = clock.utc_now()
    audit.record(Event.ADMIN_SIGNED_IN, actor=admin)
    return identity.begin_session(Realm.ADMIN, admin.id, user_agent=user_agent, address=address, keep=False)


def _refused() -> Invalid:
    return Invalid(_("That name and password do not match."), field="password", code="login_refused")
