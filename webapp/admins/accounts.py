"""Accounts of administrators: added, changed, disabled and enabled by others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from webapp.accounts import service as users
from webapp.admins import authority, rules
from webapp.admins.models import Admin, Role, SetupLink
from webapp.admins.permissions import Permission
from webapp.admins.roles import ensure_built_in_roles, get_role, get_role_by_id
from webapp.admins.rules import AdminState
from webapp.audit import service as audit
from webapp.audit.rules import Event
from webapp.config import current_settings
from webapp.database import db, write_transaction
from webapp.errors import Conflict, NotFound
from webapp.identity import service as identity
from webapp.identity.rules import Realm
from webapp.lib import clock


def load_admin(admin_id: int) -> Admin | None:
    """Return the administrator of a session, None for one that may not be signed in."""
    admin = db.session.get(Admin, admin_id)
    return admin if admin is not None and admin.state == AdminState.ACTIVE.value else None


def all_admins() -> Sequence[Admin]:
    """Return the administrators by name."""
    query = select(Admin).order_by(Admin.state, Admin.username_canonical).limit(rules.ADMINS_SHOWN)
    return db.session.scalars(query).all()


def get_admin(public_id: str) -> Admin:
    """Return an administrator by public id."""
    admin = db.session.scalar(select(Admin).where(Admin.public_id == public_id))
    if admin is None:
        raise NotFound(_("There is no such administrator."))
    return admin


def find_admin(login: str) -> Admin | None:
    """Return the administrator by name or address; both are looked up, so that the question takes as long for each."""
    address, name = identity.canonical_address(login), users.canonical_username(login)
    named = Admin.username_canonical == name
    return db.session.scalar(select(Admin).where((Admin.email_canonical == address) | named).limit(1))


def add_admin(*, actor: object, username: str, email: str, password: str, role: str) -> Admin:
    """Add an administrator with the role of that name; raises Invalid or Conflict beside the field at fault.

    The one-time set-up link, if there is one, works no longer.
    """
    address, name = identity.checked_address(email), users.checked_username(username)
    check_password(password, address, name)
    password_hash = identity.hashed_password(password)
    ensure_built_in_roles()
    try:
        return _add(actor, name, address, password_hash, role)
    except IntegrityError:
        raise taken() from None


def change_admin(*, actor: Any, public_id: str, email: str, display_name: str, role_id: str) -> None:
    """Change another administrator's address, name and role; what the new role allows holds at the next click."""
    address, shown = identity.checked_address(email), users.checked_display_name(display_name)
    try:
        _change(actor, public_id, address, shown, role_id)
    except IntegrityError:
        raise taken() from None


@write_transaction
def disable_admin(*, actor: Any, public_id: str) -> None:
    """Disable an administrator: every session ends at once; nothing is deleted."""
    authority.lock()
    admin = _other(actor, public_id)
    authority.require_another_superadmin(admin)
    if admin.state == AdminState.DISABLED.value:
        return
    admin.state = AdminState.DISABLED.value
    identity.end_all_sessions(Realm.ADMIN, admin.id)
    audit.record(
        Event.ADMIN_DISABLED,
        actor=actor,
        target=admin,
        before={"state": "active"},
        after={"state": "disabled"},
    )


@write_transaction
def enable_admin(*, actor: Any, public_id: str) -> None:
    """Let a disabled administrator sign in again."""
    authority.lock()
    admin = _other(actor, public_id)
    if admin.state == AdminState.ACTIVE.value:
        return
    admin.state = AdminState.ACTIVE.value
    audit.record(
        Event.ADMIN_ENABLED,
        actor=actor,
        target=admin,
        before={"state": "disabled"},
        after={"state": "active"},
    )


@write_transaction
def end_sessions(*, actor: Any, public_id: str) -> None:
    """Sign another administrator out everywhere."""
    authority.lock()
    admin = _other(actor, public_id)
    identity.end_all_sessions(Realm.ADMIN, admin.id)
    audit.record(Event.ADMIN_SESSIONS_ENDED, actor=actor, target=admin)


@write_transaction
def reset_second_factor(*, actor: Any, public_id: str) -> None:
    """Take the second factor of an administrator who lost it away; every session of theirs ends."""
    authority.lock()
    admin = _other(actor, public_id)
    if identity.turn_totp_off(Realm.ADMIN, admin.id):
        identity.end_all_sessions(Realm.ADMIN, admin.id)
        audit.record(Event.ADMIN_SECOND_FACTOR_OFF, actor=actor, target=admin)


def check_password(password: str, *near: str, field: str = "password") -> None:
    """Raise Invalid for a password that administrators may not have; `near` holds the name and the address."""
    settings = current_settings()
    words = (settings.site_name, *near, *(word.partition("@")[0] for word in near))
    identity.checked_password(
        password, min_length=settings.admin_password_min_length, context=words, field=field
    )


def new_admin(name: str, address: str, password_hash: str, role: Role) -> Admin:
    """Add the row inside the caller's transaction; a set-up link that is still open is closed by it."""
    admin = Admin(
        username=name,
        username_canonical=users.canonical_username(name),
        email=address,
        email_canonical=identity.canonical_address(address),
        display_name=name,
        password_hash=password_hash,
        role=role,
    )
    db.session.add(admin)
    db.session.execute(update(SetupLink).where(SetupLink.used_at.is_(None)).values(used_at=clock.utc_now()))
    db.session.flush()
    return admin


def taken() -> Conflict:
    """Return the refusal of a name or an address that another administrator has."""
    sentence = _("There is an administrator with this name or address already.")
    return Conflict(sentence, field="username", code="taken")


@write_transaction
def _add(actor: object, name: str, address: str, password_hash: str, role_name: str) -> Admin:
    authority.lock()
    authority.require(actor, Permission.ADMINS_CHANGE)
    role = get_role(role_name)
    authority.require_grant(actor, role)
    admin = new_admin(name, address, password_hash, role)
    audit.record(Event.ADMIN_CREATED, actor=actor, target=admin, after={"role": role.name, "email": address})
    return admin


@write_transaction
def _change(actor: Any, public_id: str, address: str, shown: str, role_id: str) -> None:
    authority.lock()
    admin, role = _other(actor, public_id), get_role_by_id(role_id)
    if role.id != admin.role_id:
        authority.require_grant(actor, role)
        authority.require_another_superadmin(admin)
    before = _state(admin)
    admin.email, admin.email_canonical = address, identity.canonical_address(address)
    admin.display_name, admin.role = shown, role
    db.session.flush()
    old, new = audit.changes(before, _state(admin))
    if new:
        audit.record(Event.ADMIN_CHANGED, actor=actor, target=admin, before=old, after=new)


def _other(actor: Any, public_id: str) -> Admin:
    """Return an administrator about whom the actor may decide."""
    authority.require(actor, Permission.ADMINS_CHANGE)
    admin = get_admin(public_id)
    authority.require_over(actor, admin)
    return admin


def _state(admin: Admin) -> dict[str, Any]:
    return {"email": admin.email, "display_name": admin.display_name, "role": admin.role.name}
