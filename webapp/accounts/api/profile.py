"""The profile and its picture."""

from __future__ import annotations

from typing import Annotated, Literal

from flask import Response, send_file
from flask_babel import gettext as _
from pydantic import Field
from werkzeug.datastructures import FileStorage

from webapp.accounts import service
from webapp.accounts.api.declaring import UserAnswer, of_user, routes
from webapp.accounts.rules import DISPLAY_NAME_MAX_LENGTH, USERNAME_MAX_LENGTH
from webapp.errors import NotFound
from webapp.identity.rules import Scope
from webapp.web.api import Body, Media, caller, token

ZONE_MAX_LENGTH = 64


class ProfileBody(Body):
    """What is to change; what is not sent stays."""

    display_name: Annotated[str, Field(min_length=1, max_length=DISPLAY_NAME_MAX_LENGTH)] = ""
    username: Annotated[str, Field(min_length=1, max_length=USERNAME_MAX_LENGTH)] = ""
    locale: Annotated[
        Literal["en", "zh_CN"] | None,
        Field(description="null follows the browser or the header Accept-Language"),
    ] = None
    timezone: Annotated[
        str | None,
        Field(max_length=ZONE_MAX_LENGTH, description="such as Asia/Shanghai; null follows the site"),
    ] = None


@routes.get("/user/profile/me", token(Scope.PROFILE_READ), answer=UserAnswer)
def profile() -> UserAnswer:
    """Read the profile."""
    return of_user(caller().person)


@routes.patch(
    "/user/profile/me", token(Scope.PROFILE_CHANGE), body=ProfileBody, answer=UserAnswer, refusals=(409,)
)
def change_profile(body: ProfileBody) -> UserAnswer:
    """Change names, language and time zone."""
    user = caller().person
    service.change_account(user, **body.model_dump(exclude_unset=True))
    return of_user(user)


@routes.get("/user/profile/me/avatar", token(Scope.PROFILE_READ), answer=Media("image/webp"), refusals=(404,))
def avatar() -> Response:
    """Get the picture."""
    avatar_id = caller().person.avatar_id
    if avatar_id is None:
        raise NotFound(_("There is no such picture."))
    return send_file(service.avatar_path(avatar_id), mimetype="image/webp", max_age=0)


@routes.post(
    "/user/profile/me/avatar",
    token(Scope.PROFILE_CHANGE),
    file="file",
    answer=UserAnswer,
    limit="upload",
    fields={"avatar": "file"},
)
def change_avatar(file: FileStorage) -> UserAnswer:
    """Put a picture in the place of the present one: PNG, JPEG, WebP or GIF."""
    user = caller().person
    service.set_avatar(user, file.stream)
    return of_user(user)


@routes.delete("/user/profile/me/avatar", token(Scope.PROFILE_CHANGE), answer=UserAnswer)
def remove_avatar() -> UserAnswer:
    """Take the picture away."""
    user = caller().person
    service.remove_avatar(user)
    return of_user(user)
