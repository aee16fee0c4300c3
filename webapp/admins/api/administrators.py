"""Administrators add others."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from webapp.accounts.rules import USERNAME_MAX_LENGTH
from webapp.admins import service
from webapp.admins.api.declaring import AdminAnswer, of_admin, routes
from webapp.admins.permissions import Permission
from webapp.admins.rules import ROLE_NAME_MAX_LENGTH
from webapp.identity.rules import EMAIL_MAX_LENGTH, PASSWORD_MAX_LENGTH
from webapp.web.api import Confirmation, administrator, caller


class AdminBody(Confirmation):
    """A new administrator."""

    username: Annotated[str, Field(min_length=1, max_length=USERNAME_MAX_LENGTH)]
    email: Annotated[str, Field(min_length=1, max_length=EMAIL_MAX_LENGTH)]
    password: Annotated[str, Field(min_length=1, max_length=PASSWORD_MAX_LENGTH)]
    role: Annotated[
        str, Field(min_length=1, max_length=ROLE_NAME_MAX_LENGTH, description="the name of a role")
    ]


@routes.post(
    "/admin/create",
    administrator(Permission.ADMINS_CHANGE),
    body=AdminBody,
    answer=AdminAnswer,
    idempotent=True,
    refusals=(404, 409),
)
def create(body: AdminBody) -> AdminAnswer:
    """Add an administrator with a role."""
    admin = service.add_admin(
        actor=caller().person,
        username=body.username,
        email=body.email,
        password=body.password,
        role=body.role,
    )
    return of_admin(admin)
