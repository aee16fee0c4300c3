"""Accounts of administrators."""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError

from webapp.accounts import service as users
from webapp.admins.models import Admin
from webapp.admins.roles import ensure_built_in_roles, get_role
from webapp.admins.rules import AdminState
from webapp.audit import service as audit
from webapp.audit.rules import Event
from webapp.config import current_settings
from webapp.database import db, write_transaction
from webapp.errors import Conflict
from webapp.identity import service as identity


def load_admin(admin_id: int) -> Admin | None:
    """Return the administrator of a session, None for one that may not be signed in."""
    admin = db.session.get(Admin, admin_id)
    return admin if admin is not None and admin.state == AdminState.ACTIVE.value else None


def add_admin(*, actor: object, username: str, email: str, password: str, role: str) -> Admin:
    """Add an administrator; raises Invalid or Conflict beside the field at fault."""
    address, name = identity.checked_address(email), users.checked_username(username)
    identity.checked_password(
        password,
        min_length=current_settings().admin_password_min_length,
        context=(name, address.partition("@")[0], current_settings().site_name),
    )
    password_hash = identity.hashed_password(password)
    ensure_built_in_roles()
    try:
        return _add(actor, name, address, password_hash, role)
    except IntegrityError:
        sentence = _("There is an administrator with this name or address already.")
        raise Conflict(sentence, field="username", code="taken") from None


@write_transaction
def _add(actor: object, name: str, address: str, password_hash: str, role: str) -> Admin:
    admin = Admin(
        username=name,
        username_canonical=users.canonical_username(name),
        email=address,
        email_canonical=identity.canonical_address(address),
        display_name=name,
        password_hash=password_hash,
        role=get_role(role),
    )
    db.session.add(admin)
    db.session.flush()
    audit.record(Event.ADMIN_CREATED, actor=actor, target=admin, after={"role": role, "email": address})
    return admin
