"""Getting an account, and a new password for one: each with a code that is mailed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from webapp.accounts import service
from webapp.accounts.api.declaring import (
    EmailField,
    MailedCodeField,
    PasswordField,
    UserAnswer,
    of_user,
    routes,
)
from webapp.accounts.rules import USERNAME_MAX_LENGTH
from webapp.web.api import ANYBODY, Body


class CodeBody(Body):
    """Where a code is to be mailed, and what for."""

    email: EmailField
    purpose: Literal["register", "reset_password"]


class RegisterBody(Body):
    """A new account."""

    email: EmailField
    username: Annotated[str, Field(min_length=1, max_length=USERNAME_MAX_LENGTH)]
    password: PasswordField
    verification_code: MailedCodeField


class ResetBody(Body):
    """A new password in the place of a lost one."""

    email: EmailField
    code: MailedCodeField
    new_password: PasswordField


@routes.post("/user/code", ANYBODY, body=CodeBody, limit="mail_code", refusals=(403,))
def send_code(body: CodeBody) -> None:
    """Mail a code.

    The answer is the same whether there is an account with the address or not.
    """
    if body.purpose == "register":
        service.ask_register_code(body.email)
    else:
        service.ask_reset_code(body.email)


@routes.post(
    "/user/register",
    ANYBODY,
    body=RegisterBody,
    answer=UserAnswer,
    limit="code_check",
    idempotent=True,
    refusals=(403, 409),
    fields={"code": "verification_code"},
)
def register(body: RegisterBody) -> UserAnswer:
    """Create an account, with a code that was mailed."""
    user = service.register(
        email=body.email, username=body.username, password=body.password, code=body.verification_code
    )
    return of_user(user)


@routes.post(
    "/user/password/reset",
    ANYBODY,
    body=ResetBody,
    limit="code_check",
    fields={"password": "new_password"},
)
def reset_password(body: ResetBody) -> None:
    """Set a new password with a code that was mailed.

    Every session and every token of the account ends.
    """
    service.reset_password(email=body.email, code=body.code, password=body.new_password)
