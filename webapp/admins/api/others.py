"""Other administrators: who there is, and what is done with their accounts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from pydantic import Field

from webapp.accounts.rules import DISPLAY_NAME_MAX_LENGTH
from webapp.admins import service
from webapp.admins.api.declaring import AdminAnswer, of_admin, routes
from webapp.admins.permissions import Permission
from webapp.admins.rules import ROLE_NAME_MAX_LENGTH
from webapp.identity.rules import EMAIL_MAX_LENGTH
from webapp.web.api import Answer, Confirmation, administrator, caller

READ = administrator(Permission.ADMINS_READ)
CHANGE = administrator(Permission.ADMINS_CHANGE)


class AdminsAnswer(Answer):
    """All administrators, by name."""

    items: list[AdminAnswer]


class ChangeAdminBody(Confirmation):
    """What an administrator is to be; a new role holds at their next call."""

    email: Annotated[str, Field(min_length=1, max_length=EMAIL_MAX_LENGTH)]
    display_name: Annotated[str, Field(min_length=1, max_length=DISPLAY_NAME_MAX_LENGTH)]
    role: Annotated[
        str, Field(min_length=1, max_length=ROLE_NAME_MAX_LENGTH, description="the name of a role")
    ]


@routes.get("/admin/administrators", READ, answer=AdminsAnswer)
def administrators() -> AdminsAnswer:
    """List administrators."""
    return AdminsAnswer(items=[of_admin(each) for each in service.all_admins()])


@routes.get("/admin/administrators/<admin_id>", READ, answer=AdminAnswer)
def show(admin_id: str) -> AdminAnswer:
    """Read one administrator."""
    return of_admin(service.get_admin(admin_id))


@routes.put(
    "/admin/administrators/<admin_id>",
    CHANGE,
    body=ChangeAdminBody,
    answer=AdminAnswer,
    refusals=(404, 409),
)
def change(admin_id: str, body: ChangeAdminBody) -> AdminAnswer:
    """Change address, name and role of another administrator."""
    service.change_admin(
        actor=caller().person,
        public_id=admin_id,
        email=body.email,
        display_name=body.display_name,
        role_id=service.get_role(body.role).public_id,
    )
    return of_admin(service.get_admin(admin_id))


@routes.post("/admin/administrators/<admin_id>/disable", CHANGE, answer=AdminAnswer, refusals=(409,))
def disable(admin_id: str) -> AdminAnswer:
    """Disable an administrator: every session ends at once; the last one who may do everything stays."""
    return _done(service.disable_admin, admin_id)


@routes.post("/admin/administrators/<admin_id>/enable", CHANGE, answer=AdminAnswer, refusals=(409,))
def enable(admin_id: str) -> AdminAnswer:
    """Let a disabled administrator sign in again."""
    return _done(service.enable_admin, admin_id)


@routes.post("/admin/administrators/<admin_id>/sessions/end", CHANGE, answer=AdminAnswer)
def end_sessions(admin_id: str) -> AdminAnswer:
    """Sign another administrator out everywhere."""
    return _done(service.end_sessions, admin_id)


@routes.post(
    "/admin/administrators/<admin_id>/second-factor/reset", CHANGE, body=Confirmation, answer=AdminAnswer
)
def reset_second_factor(admin_id: str, body: Confirmation) -> AdminAnswer:
    """Take the lost second factor of another administrator away; every session of theirs ends."""
    del body
    return _done(service.reset_second_factor, admin_id)


def _done(act: Callable[..., None], admin_id: str) -> AdminAnswer:
    act(actor=caller().person, public_id=admin_id)
    return of_admin(service.get_admin(admin_id))
