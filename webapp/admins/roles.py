"""Roles: the built-in ones are brought up to date with the table of permissions, others are composed of it."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from webapp.admins import authority
from webapp.admins.models import Admin, Role
from webapp.admins.permissions import BUILT_IN_ROLES, Permission
from webapp.audit import service as audit
from webapp.audit.rules import Event
from webapp.database import db, write_transaction
from webapp.errors import Conflict, Invalid, NotAllowed, NotFound


def ensure_built_in_roles() -> None:
    """Add the roles that come with the program and give them the permissions of this version."""
    try:
        _ensure()
    except IntegrityError:  # another process was first with one of them
        _ensure()


def get_role(name: str) -> Role:
    """Return the role of that name; raises Invalid where it was named wrongly."""
    role = db.session.scalar(select(Role).where(Role.name == name))
    if role is None:
        raise Invalid(_("There is no such role."), field="role", code="role_unknown")
    return role


def get_role_by_id(public_id: str) -> Role:
    """Return a role by its public id."""
    role = db.session.scalar(select(Role).where(Role.public_id == public_id))
    if role is None:
        raise NotFound(_("There is no such role. It may have been deleted."))
    return role


def all_roles() -> Sequence[Role]:
    """Return the roles, those that come with the program first."""
    return db.session.scalars(select(Role).order_by(Role.built_in.desc(), Role.id)).all()


def holders() -> dict[int, int]:
    """Return how many administrators have each role, by the role's id."""
    rows = db.session.execute(select(Admin.role_id, func.count()).group_by(Admin.role_id))
    return dict(rows.all())


def add_role(*, actor: Any, name: str, description: str, permissions: Collection[str]) -> Role:
    """Add a role; raises Invalid or Conflict beside the field at fault, NotAllowed beyond the actor's own rights."""
    wanted = _checked(permissions)
    try:
        return _add(actor, name.strip(), description.strip(), wanted)
    except IntegrityError:
        raise _taken() from None


def change_role(
    *, actor: Any, public_id: str, name: str, description: str, permissions: Collection[str]
) -> None:
    """Change a role; whoever has it has the new permissions at the next click."""
    wanted = _checked(permissions)
    try:
        _change(actor, public_id, name.strip(), description.strip(), wanted)
    except IntegrityError:
        raise _taken() from None


@write_transaction
def delete_role(*, actor: Any, public_id: str) -> None:
    """Delete a role that nobody has."""
    authority.lock()
    role = _changeable(actor, public_id)
    if db.session.scalar(select(func.count()).select_from(Admin).where(Admin.role_id == role.id)):
        sentence = _("Somebody still has this role. Give them another one first.")
        raise Conflict(sentence, code="role_in_use")
    audit.record(Event.ROLE_DELETED, actor=actor, target=role, before=_state(role))
    db.session.delete(role)


@write_transaction
def _ensure() -> None:
    known = {role.name: role for role in db.session.scalars(select(Role).where(Role.built_in))}
    for name, granted in BUILT_IN_ROLES.items():
        role = known.get(name)
        if role is None:
            role = Role(name=name, built_in=True)
            db.session.add(role)
        role.permissions = json.dumps(sorted(granted))


@write_transaction
def _add(actor: Any, name: str, description: str, permissions: list[str]) -> Role:
    authority.lock()
    authority.require(actor, Permission.ROLES_CHANGE)
    authority.require_grants(actor, permissions)
    role = Role(name=name, description=description, permissions=json.dumps(permissions), built_in=False)
    db.session.add(role)
    db.session.flush()
    audit.record(Event.ROLE_CREATED, actor=actor, target=role, after=_state(role))
    return role


@write_transaction
def _change(actor: Any, public_id: str, name: str, description: str, permissions: list[str]) -> None:
    authority.lock()
    role = _changeable(actor, public_id)
    authority.require_grants(actor, permissions)
    before = _state(role)
    role.name, role.description, role.permissions = name, description, json.dumps(permissions)
    db.session.flush()
    old, new = audit.changes(before, _state(role))
    if new:
        audit.record(Event.ROLE_CHANGED, actor=actor, target=role, before=old, after=new)


def _changeable(actor: Any, public_id: str) -> Role:
    """Return the role, if this actor may change it: not a built-in one, not his own, none that goes beyond his own."""
    authority.require(actor, Permission.ROLES_CHANGE)
    role = get_role_by_id(public_id)
    if role.built_in:
        raise NotAllowed(_("This role comes with the program and stays as it is. Make one of your own."))
    if actor is not audit.SYSTEM and role.id == actor.role_id:
        raise NotAllowed(_("You have this role yourself. Another administrator has to change it."))
    authority.require_grants(actor, role.granted)
    return role


def _checked(permissions: Collection[str]) -> list[str]:
    wanted = sorted(set(permissions))
    if not set(wanted) <= {each.value for each in Permission}:
        raise Invalid(_("Choose permissions from the list."), field="permissions")
    return wanted


def _state(role: Role) -> dict[str, Any]:
    return {"name": role.name, "description": role.description, "permissions": sorted(role.granted)}


def _taken() -> Conflict:
    return Conflict(_("There is a role of this name already."), field="name", code="taken")
