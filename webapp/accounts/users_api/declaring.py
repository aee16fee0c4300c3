"""Where the routes about users are declared, how users are chosen, and what several routes answer."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from webapp.accounts.administration.bulk import REASON_MAX_LENGTH
from webapp.accounts.administration.filters import TEXT_MAX_LENGTH, UserFilter
from webapp.accounts.rules import NEVER
from webapp.web.api import Answer, Routes

routes = Routes("users", tag="Users")

UserId = Annotated[str, Field(min_length=1, max_length=64)]
Reason = Annotated[
    str, Field(max_length=REASON_MAX_LENGTH, description="kept in the audit log; suspending needs one")
]


class FilterFields(BaseModel):
    """Which users, and in which order; what is empty leaves nobody out."""

    q: Annotated[
        str, Field(max_length=TEXT_MAX_LENGTH, description="beginnings of words of the name or the address")
    ] = ""
    state: Literal["", "active", "suspended", "invited", "deleting"] = ""
    verified: Literal["", "yes", "no"] = ""
    seen: Literal["", "day", "week", "month", "quiet30", "quiet90", "never"] = ""
    joined: Literal["", "day", "week", "month", "year"] = ""
    sort: Literal["seen", "joined", "name", "email"] = "seen"
    way: Literal["down", "up"] = "down"

    @property
    def chosen(self) -> UserFilter:
        """The filter as the pages know it."""
        return UserFilter.read({name: getattr(self, name) for name in FilterFields.model_fields})


class UserRowAnswer(Answer):
    """A user, as administrators see one in a list; the figures are those of the last 30 days."""

    id: str
    username: str
    display_name: str
    email: str
    state: str
    verified_at: dt.datetime | None
    last_seen_at: dt.datetime | None
    last_login_at: dt.datetime | None
    created_at: dt.datetime
    answers: int
    tokens: int


def of_row(row: Any, usage: Any) -> UserRowAnswer:
    """Return a line of a list."""
    return UserRowAnswer(
        id=row.public_id,
        username=row.username,
        display_name=row.display_name,
        email=row.email,
        state=row.state,
        verified_at=row.verified_at,
        last_seen_at=seen(row.last_seen_at),
        last_login_at=row.last_login_at,
        created_at=row.created_at,
        answers=usage.answers,
        tokens=usage.tokens,
    )


def seen(moment: dt.datetime) -> dt.datetime | None:
    """Return when somebody was seen, None for never."""
    return None if moment == NEVER else moment
