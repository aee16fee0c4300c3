"""One's data: take it along, or have it deleted."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from flask import Response, send_file
from pydantic import Field

from webapp.accounts import service
from webapp.accounts.api.declaring import routes
from webapp.lib import clock
from webapp.web.api import OWNER, Answer, Confirmation, Media, caller


class DeleteBody(Confirmation):
    """Say that you mean it."""

    sure: Annotated[Literal[True], Field(description="that the chats are deleted with the account")]


class DeletionAnswer(Answer):
    """When the account is erased, unless its owner signs in before then and keeps it."""

    due_at: dt.datetime | None


@routes.post(
    "/user/export",
    OWNER,
    body=Confirmation,
    answer=Media("application/zip", "everything about the account, to read and as JSON"),
    limit="export_own_data",
)
def export_data(body: Confirmation) -> Response:
    """Get everything about the account as a ZIP file."""
    del body
    user = caller().person
    name = f"{user.username}-{clock.utc_now():%Y-%m-%d}.zip"
    return send_file(service.export(user), mimetype="application/zip", as_attachment=True, download_name=name)


@routes.post(
    "/user/delete",
    OWNER,
    body=DeleteBody,
    answer=DeletionAnswer,
    limit="password_change",
    refusals=(409,),
)
def delete_account(body: DeleteBody) -> DeletionAnswer:
    """Have the account deleted after seven days; every session and token ends now."""
    del body
    user = caller().person
    service.ask_deletion(user)
    return DeletionAnswer(due_at=user.deletion_due_at)
