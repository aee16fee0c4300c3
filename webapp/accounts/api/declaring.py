"""Where the routes of accounts are declared, and what several of them answer."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from flask import url_for
from pydantic import Field

from webapp.accounts.models import User
from webapp.identity.models import LoginSession
from webapp.identity.rules import EMAIL_MAX_LENGTH, PASSWORD_MAX_LENGTH
from webapp.web.api import Answer, Routes

routes = Routes("user", tag="Account")

MAILED_CODE_LENGTH = 12  # room for spaces
EmailField = Annotated[str, Field(min_length=1, max_length=EMAIL_MAX_LENGTH)]
PasswordField = Annotated[str, Field(min_length=1, max_length=PASSWORD_MAX_LENGTH)]
MailedCodeField = Annotated[
    str, Field(min_length=1, max_length=MAILED_CODE_LENGTH, description="the code from the mail")
]


class UserAnswer(Answer):
    """A user, as that user sees it."""

    id: str
    username: str
    display_name: str
    email: str
    locale: str | None
    timezone: str | None
    avatar_url: str | None
    created_at: dt.datetime


class LoginAnswer(Answer):
    """A login token, for `Authorization: Bearer`."""

    token: Annotated[
        str, Field(description="shown once; ends with signing out, a new password or a suspension")
    ]
    token_type: Annotated[str, Field(description="always Bearer")]
    expires_at: dt.datetime
    device_token: Annotated[
        str, Field(description="send it with the next sign-in to be known as the same device")
    ]
    user: UserAnswer


def of_user(user: User) -> UserAnswer:
    """Return what a user sees of themselves."""
    return UserAnswer(
        id=user.public_id,
        username=user.username,
        display_name=user.display_name,
        email=user.email,
        locale=user.locale,
        timezone=user.timezone,
        avatar_url=url_for("api_user.avatar") if user.avatar_id else None,
        created_at=user.created_at,
    )


def of_login(user: User, token: str, device_token: str, session: LoginSession) -> LoginAnswer:
    """Return what signing in gives."""
    return LoginAnswer(
        token=token,
        token_type="Bearer",  # noqa: S106
        expires_at=session.expires_at,
        device_token=device_token,
        user=of_user(user),
    )
