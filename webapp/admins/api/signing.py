"""Administrators sign in and out."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from flask import request
from flask_babel import gettext as _
from pydantic import Field

from webapp.accounts.rules import LOGIN_MAX_LENGTH
from webapp.admins import service
from webapp.admins.api.declaring import AdminAnswer, of_admin, routes
from webapp.errors import Invalid, NotSignedIn
from webapp.identity import service as identity
from webapp.identity.rules import PASSWORD_MAX_LENGTH, Realm
from webapp.web.api import ANYBODY, Answer, Body, administrator, caller
from webapp.web.forms import CODE_FIELD_LENGTH
from webapp.web.requests import client_address

DEVICE_TOKEN_LENGTH = 64


class AdminLoginBody(Body):
    """Name or e-mail address, and password; a code where two-step sign-in is on."""

    username: Annotated[
        str,
        Field(min_length=1, max_length=LOGIN_MAX_LENGTH, description="the user name or the e-mail address"),
    ]
    password: Annotated[str, Field(min_length=1, max_length=PASSWORD_MAX_LENGTH)]
    code: Annotated[
        str | None,
        Field(max_length=CODE_FIELD_LENGTH, description="of the authenticator app, or a recovery code"),
    ] = None
    device_token: Annotated[
        str, Field(max_length=DEVICE_TOKEN_LENGTH, description="what an earlier sign-in of this device gave")
    ] = ""


class AdminLoginAnswer(Answer):
    """A login token, for `Authorization: Bearer`."""

    token: Annotated[str, Field(description="shown once; ends with signing out")]
    token_type: Annotated[str, Field(description="always Bearer")]
    expires_at: dt.datetime
    device_token: Annotated[
        str, Field(description="send it with the next sign-in to be known as the same device")
    ]
    admin: AdminAnswer


@routes.post(
    "/admin/login",
    ANYBODY,
    body=AdminLoginBody,
    answer=AdminLoginAnswer,
    limit="login_address",
    refusals=(401,),
)
def login(body: AdminLoginBody) -> AdminLoginAnswer:
    """Sign in as an administrator."""
    client = identity.Client(request.user_agent.string, client_address(), body.device_token, program=True)
    try:
        step = service.log_in(login=body.username, password=body.password, client=client)
        if isinstance(step, service.SecondStepNeeded):
            if not body.code:
                sentence = _("Two-step sign-in is on: send a code as well.")
                raise NotSignedIn(sentence, code="code_needed", field="code")
            step = service.log_in_with_code(token=step.token, code=body.code, client=client)
    except Invalid as error:
        raise NotSignedIn(error.sentence, code=error.code, field=error.field) from None
    admin, _session = identity.load_session(Realm.ADMIN, step.session_token)
    return AdminLoginAnswer(
        token=step.session_token,
        token_type="Bearer",  # noqa: S106
        expires_at=identity.session_of_token(Realm.ADMIN, step.session_token).expires_at,
        device_token=step.device_token,
        admin=of_admin(admin),
    )


@routes.post("/admin/logout", administrator(unfinished=True))
def logout() -> None:
    """Sign out: the login token works no more."""
    who = caller()
    service.log_out(who.person, who.session_id or 0)


@routes.get("/admin/me", administrator(), answer=AdminAnswer)
def me() -> AdminAnswer:
    """Read one's own account."""
    return of_admin(caller().person)
