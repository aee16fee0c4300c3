"""Signing in and out."""

from __future__ import annotations

from typing import Annotated, cast

from flask import request
from flask_babel import gettext as _
from pydantic import Field

from webapp.accounts import service
from webapp.accounts.api.declaring import LoginAnswer, PasswordField, of_login, routes
from webapp.accounts.rules import LOGIN_MAX_LENGTH
from webapp.errors import Invalid, NotAllowed, NotSignedIn
from webapp.identity import service as identity
from webapp.identity.rules import Realm
from webapp.web.api import ANYBODY, OWNER, Body, caller
from webapp.web.forms import CODE_FIELD_LENGTH
from webapp.web.requests import client_address

DEVICE_TOKEN_LENGTH = 64


class LoginBody(Body):
    """Name or e-mail address, and password; a code where two-step sign-in is on."""

    username: Annotated[
        str,
        Field(min_length=1, max_length=LOGIN_MAX_LENGTH, description="the user name or the e-mail address"),
    ]
    password: PasswordField
    code: Annotated[
        str | None,
        Field(max_length=CODE_FIELD_LENGTH, description="of the authenticator app, or a recovery code"),
    ] = None
    keep: Annotated[bool, Field(description="stay signed in for longer than a day")] = True
    keep_account: Annotated[
        bool, Field(description="take back the wish to have the account deleted, and sign in")
    ] = False
    device_token: Annotated[
        str, Field(max_length=DEVICE_TOKEN_LENGTH, description="what an earlier sign-in of this device gave")
    ] = ""


@routes.post(
    "/user/login",
    ANYBODY,
    body=LoginBody,
    answer=LoginAnswer,
    limit="login_address",
    refusals=(401, 403),
    fields={"login": "username"},
)
def login(body: LoginBody) -> LoginAnswer:
    """Sign in.

    The answer holds a bearer token that may do everything its owner may on the pages.
    """
    client = program(body.device_token)
    try:
        step = service.log_in(login=body.username, password=body.password, keep=body.keep, client=client)
        if isinstance(step, service.SecondStepNeeded):
            if not body.code:
                sentence = _("Two-step sign-in is on: send a code as well.")
                raise NotSignedIn(sentence, code="code_needed", field="code")
            step = service.log_in_with_code(token=step.token, code=body.code, client=client)
    except Invalid as error:
        raise NotSignedIn(error.sentence, code=error.code, field=error.field) from None
    if isinstance(step, service.DeletionPending):
        if not body.keep_account:
            sentence = _("This account is to be deleted. Send keep_account to keep it.")
            raise NotAllowed(sentence, code="deletion_pending", field="keep_account")
        step = service.keep_account(token=step.token, client=client)
    return _signed_in(cast("service.SignedIn", step))  # two steps are all there are


@routes.post("/user/logout", OWNER)
def logout() -> None:
    """Sign out: the login token works no more."""
    service.log_out(caller().person, caller().session_id)


def program(device_token: str = "") -> identity.Client:
    """Return the program that calls, as identity knows it."""
    return identity.Client(request.user_agent.string, client_address(), device_token, program=True)


def _signed_in(step: service.SignedIn) -> LoginAnswer:
    token = step.user.session_token or ""
    session = identity.session_of_token(Realm.USER, token)
    return of_login(step.user, token, step.device_token, session)
