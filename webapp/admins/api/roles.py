"""Roles: those that come with the program, and those composed here."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from webapp.admins import service
from webapp.admins.api.declaring import routes
from webapp.admins.models import Role
from webapp.admins.permissions import Permission
from webapp.admins.rules import ROLE_DESCRIPTION_MAX_LENGTH, ROLE_NAME_MAX_LENGTH
from webapp.admins.words import PERMISSION_GROUPS
from webapp.web.api import Answer, Confirmation, administrator, caller

READ = administrator(Permission.ADMINS_READ)
CHANGE = administrator(Permission.ROLES_CHANGE)


class RoleAnswer(Answer):
    """A role and what it permits; those that are built in cannot be changed."""

    id: str
    name: str
    description: str
    permissions: list[str]
    built_in: bool
    administrators: int


class PermissionAnswer(Answer):
    """A permission."""

    name: str
    description: str


class RolesAnswer(Answer):
    """All roles, and all permissions that a role can be composed of."""

    items: list[RoleAnswer]
    permissions: list[PermissionAnswer]


class RoleBody(Confirmation):
    """What a role is to be."""

    name: Annotated[str, Field(min_length=1, max_length=ROLE_NAME_MAX_LENGTH)]
    description: Annotated[str, Field(max_length=ROLE_DESCRIPTION_MAX_LENGTH)] = ""
    permissions: Annotated[
        tuple[Annotated[str, Field(max_length=64)], ...], Field(max_length=len(Permission))
    ]


@routes.get("/admin/roles", READ, answer=RolesAnswer)
def roles() -> RolesAnswer:
    """List roles and permissions."""
    holders = service.holders()
    permissions = [
        PermissionAnswer(name=name.value, description=str(words))
        for _label, group in PERMISSION_GROUPS
        for name, words in group.items()
    ]
    items = [_of_role(each, holders) for each in service.all_roles()]
    return RolesAnswer(items=items, permissions=permissions)


@routes.post("/admin/roles", CHANGE, body=RoleBody, answer=RoleAnswer, idempotent=True, refusals=(409,))
def add_role(body: RoleBody) -> RoleAnswer:
    """Compose a role; nobody can give what they may not do themselves."""
    return _of_role(service.add_role(actor=caller().person, **_values(body)), {})


@routes.put("/admin/roles/<role_id>", CHANGE, body=RoleBody, answer=RoleAnswer, refusals=(409,))
def change_role(role_id: str, body: RoleBody) -> RoleAnswer:
    """Change a role; it holds at once for everybody who has it."""
    service.change_role(actor=caller().person, public_id=role_id, **_values(body))
    return _of_role(service.get_role_by_id(role_id), service.holders())


@routes.delete("/admin/roles/<role_id>", CHANGE, refusals=(409,))
def delete_role(role_id: str) -> None:
    """Delete a role that nobody has."""
    service.delete_role(actor=caller().person, public_id=role_id)


def _values(body: RoleBody) -> dict[str, Any]:
    return {"name": body.name, "description": body.description, "permissions": body.permissions}


def _of_role(role: Role, holders: dict[int, int]) -> RoleAnswer:
    return RoleAnswer(
        id=role.public_id,
        name=role.name,
        description=role.description,
        permissions=sorted(role.granted),
        built_in=role.built_in,
        administrators=holders.get(role.id, 0),
    )
