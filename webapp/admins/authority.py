"""Who may decide about whom: nobody gives, or takes from others, what goes beyond his own permissions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import func, select

from webapp.admins.models import Admin, Role
from webapp.admins.permissions import SUPERADMIN, Permission
from webapp.admins.rules import AdminState
from webapp.audit import service as audit
from webapp.database import db
from webapp.errors import Conflict, NotAllowed


def lock() -> None:
    """Hold, until the transaction ends, the row that whoever changes administrators or roles has to pass.

    What was read before is read again, the actor's own role included: two superadmins who demote each other at the
    same moment come one after the other, and the second one is no superadmin any more.
    """
    db.session.execute(select(Role.id).where(Role.name == SUPERADMIN).with_for_update())
    db.session.expire_all()


def is_superadmin(admin: Admin) -> bool:
    """Tell whether the administrator has the built-in role that may do everything."""
    return admin.role.built_in and admin.role.name == SUPERADMIN


def grantable(actor: Any) -> frozenset[str]:
    """Return the permissions that the actor may give to others: all for a superadmin and the command line, else his own."""
    if actor is audit.SYSTEM or is_superadmin(actor):
        return frozenset(each.value for each in Permission)
    return frozenset(actor.role.granted)


def may_grant(actor: Any, role: Role) -> bool:
    """Tell whether the actor may make somebody this role; only a superadmin makes superadmins."""
    if role.built_in and role.name == SUPERADMIN and actor is not audit.SYSTEM and not is_superadmin(actor):
        return False
    return role.granted <= grantable(actor)


def require(actor: Any, permission: Permission) -> None:
    """Raise NotAllowed unless the actor is active and has the permission now, after waiting for the lock."""
    if actor is audit.SYSTEM:
        return
    if actor.state != AdminState.ACTIVE.value or not actor.may(permission):
        raise NotAllowed(_("Your role does not allow this any more."))


def require_over(actor: Any, admin: Admin) -> None:
    """Raise NotAllowed unless the actor may decide about this administrator, who is not himself."""
    if actor is audit.SYSTEM:
        return
    if actor.id == admin.id:
        raise NotAllowed(_("You cannot do this to your own account. Another administrator can."))
    if not may_grant(actor, admin.role):
        raise NotAllowed(_("This administrator may do more than you. A superadmin can change the account."))


def require_grant(actor: Any, role: Role) -> None:
    """Raise NotAllowed unless the actor may give this role."""
    if not may_grant(actor, role):
        raise NotAllowed(_("This role may do more than you, so you cannot give it."))


def require_grants(actor: Any, permissions: Iterable[str]) -> None:
    """Raise NotAllowed unless the actor may give every one of these permissions."""
    if not frozenset(permissions) <= grantable(actor):
        raise NotAllowed(_("You can only give permissions that you have yourself."))


def require_another_superadmin(admin: Admin) -> None:
    """Raise Conflict where the administrator is the last active superadmin; call it under the lock."""
    if not is_superadmin(admin) or admin.state != AdminState.ACTIVE.value:
        return
    others = (
        select(func.count())
        .select_from(Admin)
        .where(Admin.role_id == admin.role_id, Admin.state == AdminState.ACTIVE.value, Admin.id != admin.id)
    )
    if not db.session.scalar(others):
        sentence = _("This is the last active superadmin. Make somebody else a superadmin first.")
        raise Conflict(sentence, code="last_superadmin")
