"""Roles: the built-in ones are brought up to date with the table of permissions."""

from __future__ import annotations

import json

from flask_babel import gettext as _
from sqlalchemy import select

from webapp.admins.models import Role
from webapp.admins.permissions import BUILT_IN_ROLES
from webapp.database import db, write_transaction
from webapp.errors import NotFound


@write_transaction
def ensure_built_in_roles() -> None:
    """Add the roles that come with the program and give them the permissions of this version."""
    known = {role.name: role for role in db.session.scalars(select(Role).where(Role.built_in))}
    for name, granted in BUILT_IN_ROLES.items():
        role = known.get(name)
        if role is None:
            role = Role(name=name, built_in=True)
            db.session.add(role)
        role.permissions = json.dumps(sorted(granted))


def get_role(name: str) -> Role:
    """Return the role of that name."""
    role = db.session.scalar(select(Role).where(Role.name == name))
    if role is None:
        raise NotFound(_("There is no such role."))
    return role
