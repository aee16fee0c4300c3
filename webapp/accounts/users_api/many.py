"""One act on many users: told beforehand, then done one by one, each with a result of its own."""

from __future__ import annotations

from typing import Annotated, Literal

from flask_babel import gettext as _
from pydantic import Field

from webapp.accounts.administration import bulk
from webapp.accounts.administration.bulk import BULK_MAX, Act, Selection
from webapp.accounts.users_api.declaring import FilterFields, Reason, UserId, routes
from webapp.errors import Invalid
from webapp.web.api import Answer, Body, administrator, caller

CHANGE = administrator("users.change")


class FilterBody(Body, FilterFields):
    """Everybody whom a list with this filter shows."""


class SelectionBody(Body):
    """What is done, and to whom: the users named, or those that a filter lets through; at most 500."""

    act: Literal["end_sessions", "start_reset", "suspend", "restore"]
    users: Annotated[tuple[UserId, ...], Field(max_length=BULK_MAX)] = ()
    filter: FilterBody | None = None


class BulkBody(SelectionBody):
    """The same, and why."""

    reason: Reason = ""


class PreviewAnswer(Answer):
    """What the act would be done to; `unfit` users will be refused, `busy` ones have something under way."""

    count: int
    busy: int
    unfit: int


class BulkResultAnswer(Answer):
    """What came of it for one user; `message` says why not."""

    id: str
    display_name: str
    email: str
    done: bool
    message: str


class BulkAnswer(Answer):
    """What came of it, user by user."""

    done: int
    results: list[BulkResultAnswer]


@routes.post("/admin/users/bulk/preview", CHANGE, body=SelectionBody, answer=PreviewAnswer, refusals=(409,))
def preview(body: SelectionBody) -> PreviewAnswer:
    """Tell what an act on many users would do; nothing is changed."""
    seen = bulk.preview(Act(body.act), _selection(body))
    return PreviewAnswer(count=seen.count, busy=seen.busy, unfit=seen.unfit)


@routes.post(
    "/admin/users/bulk",
    CHANGE,
    body=BulkBody,
    answer=BulkAnswer,
    limit="bulk",
    idempotent=True,
    refusals=(409,),
)
def carry_out(body: BulkBody) -> BulkAnswer:
    """Do something to many users."""
    results = bulk.carry_out(Act(body.act), _selection(body), actor=caller().person, reason=body.reason)
    told = [
        BulkResultAnswer(
            id=each.public_id,
            display_name=each.display_name,
            email=each.email,
            done=each.done,
            message=each.words,
        )
        for each in results
    ]
    return BulkAnswer(done=sum(each.done for each in told), results=told)


def _selection(body: SelectionBody) -> Selection:
    if bool(body.users) == (body.filter is not None):
        raise Invalid(_("Name users, or give a filter: one of the two."), field="users")
    if body.filter is not None:
        return Selection(chosen=body.filter.chosen)
    return Selection(public_ids=tuple(dict.fromkeys(body.users)))
