"""One user: found, looked at, invited, and everything that is done to one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Annotated, Any, Literal

from flask_babel import gettext as _
from pydantic import Field

from webapp.accounts import states
from webapp.accounts.administration import access, details, listing
from webapp.accounts.administration.bulk import REASON_MAX_LENGTH
from webapp.accounts.models import User
from webapp.accounts.rules import DISPLAY_NAME_MAX_LENGTH, USERNAME_MAX_LENGTH
from webapp.accounts.service import Usage
from webapp.accounts.users_api.declaring import FilterFields, UserRowAnswer, of_row, routes
from webapp.database import Page
from webapp.errors import Invalid
from webapp.identity.rules import EMAIL_MAX_LENGTH
from webapp.web.api import Answer, Body, Confirmation, ListQuery, administrator, caller
from webapp.web.api import listing as listed

READ = administrator("users.read")
CHANGE = administrator("users.change")


class UsersQuery(ListQuery, FilterFields):
    """Which users, and which part of the list."""


class UsersAnswer(Answer):
    """A page of users."""

    items: list[UserRowAnswer]
    next: str | None


class UserDetailsAnswer(UserRowAnswer):
    """A user with what administrators see on the user's page; never a word of what the user wrote."""

    locale: str | None
    timezone: str | None
    locked: bool
    second_factor: bool
    sessions: int
    api_tokens: int
    deletion_due_at: dt.datetime | None


class InviteBody(Body):
    """Somebody who is to have an account; a mail with a link leads them to it."""

    email: Annotated[str, Field(min_length=1, max_length=EMAIL_MAX_LENGTH)]
    username: Annotated[str, Field(min_length=1, max_length=USERNAME_MAX_LENGTH)]
    display_name: Annotated[str, Field(max_length=DISPLAY_NAME_MAX_LENGTH)] = ""
    locale: Annotated[
        Literal["en", "zh_CN"] | None, Field(description="language of the mail; null for the site's own")
    ] = None


class ReasonBody(Body):
    """Why."""

    reason: Annotated[str, Field(min_length=1, max_length=REASON_MAX_LENGTH)]


class LinkAnswer(Answer):
    """A link by which the user sets a password: shown once, used once."""

    url: str


@routes.get("/admin/users", READ, query=UsersQuery, answer=UsersAnswer)
def users(query: UsersQuery) -> dict[str, Any]:
    """List users.

    Every page costs the same, however many users there are.
    """
    found = listing.list_users(query.chosen, after=query.cursor, limit=query.limit)
    page = Page(found.rows, found.next_cursor)
    return listed(page, lambda row: of_row(row, found.usage.get(row.id, Usage())))


@routes.post(
    "/admin/users", CHANGE, body=InviteBody, answer=UserDetailsAnswer, idempotent=True, refusals=(409,)
)
def invite(body: InviteBody) -> UserDetailsAnswer:
    """Invite a user."""
    user = states.invite(
        actor=caller().person,
        email=body.email,
        username=body.username,
        display_name=body.display_name,
        locale=body.locale,
    )
    return _details(user)


@routes.get("/admin/users/<user_id>", READ, answer=UserDetailsAnswer)
def user(user_id: str) -> UserDetailsAnswer:
    """Read one user."""
    return _details(states.get_user(user_id))


@routes.post(
    "/admin/users/<user_id>/suspend", CHANGE, body=ReasonBody, answer=UserDetailsAnswer, refusals=(409,)
)
def suspend(user_id: str, body: ReasonBody) -> UserDetailsAnswer:
    """Suspend a user: sessions, open streams and tokens end at once, and nothing is deleted."""
    reason = " ".join(body.reason.split())
    if not reason:
        raise Invalid(_("Say why; whoever reads the audit log will want to know."), field="reason")
    return _done(user_id, lambda user: states.suspend(user, actor=caller().person, reason=reason))


@routes.post("/admin/users/<user_id>/restore", CHANGE, answer=UserDetailsAnswer, refusals=(409,))
def restore(user_id: str) -> UserDetailsAnswer:
    """Let a suspended user in again."""
    return _done(user_id, lambda user: states.restore(user, actor=caller().person))


@routes.post("/admin/users/<user_id>/unlock", CHANGE, answer=UserDetailsAnswer)
def unlock(user_id: str) -> UserDetailsAnswer:
    """Forget the failed sign-ins of a user, who need not wait any longer."""
    return _done(user_id, lambda user: states.unlock(user, actor=caller().person))


@routes.post("/admin/users/<user_id>/sessions/end", CHANGE, answer=UserDetailsAnswer)
def end_sessions(user_id: str) -> UserDetailsAnswer:
    """Sign a user out everywhere."""
    return _done(user_id, lambda user: states.end_sessions(user, actor=caller().person))


@routes.post("/admin/users/<user_id>/tokens/end", CHANGE, answer=UserDetailsAnswer)
def end_tokens(user_id: str) -> UserDetailsAnswer:
    """End all API tokens of a user."""
    return _done(user_id, lambda user: access.end_tokens(user, actor=caller().person))


@routes.post("/admin/users/<user_id>/reset", CHANGE, answer=UserDetailsAnswer, refusals=(409,))
def start_reset(user_id: str) -> UserDetailsAnswer:
    """Mail a user a link to set a new password."""
    return _done(user_id, lambda user: states.start_reset(user, actor=caller().person))


@routes.post("/admin/users/<user_id>/link", CHANGE, body=Confirmation, answer=LinkAnswer, refusals=(409,))
def one_time_link(user_id: str, body: Confirmation) -> LinkAnswer:
    """Make a one-time link for a user, to be handed over; older links stop working."""
    del body
    return LinkAnswer(url=states.reset_link(states.get_user(user_id), actor=caller().person))


def _done(user_id: str, act: Callable[[User], object]) -> UserDetailsAnswer:
    """Do something to a user and return how the user is now."""
    user = states.get_user(user_id)
    act(user)
    return _details(user)


def _details(user: User) -> UserDetailsAnswer:
    found = details.details_of(user)
    return UserDetailsAnswer(
        **of_row(user, found.usage).model_dump(),
        locale=user.locale,
        timezone=user.timezone,
        locked=found.locked,
        second_factor=found.second_factor,
        sessions=len(found.sessions),
        api_tokens=len(found.tokens),
        deletion_due_at=user.deletion_due_at,
    )
