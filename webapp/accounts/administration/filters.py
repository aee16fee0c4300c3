"""Which users a list shows, and in which order: every value comes from a list of allowed ones."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Final, Self

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, select

from webapp.accounts.models import User, UserWord
from webapp.accounts.rules import NEVER, UserState
from webapp.accounts.words import LAST_SIGN, words_sought
from webapp.database import Order
from webapp.errors import Invalid
from webapp.lib import clock

ANY: Final = ""
TEXT_MAX_LENGTH: Final = 120
DAYS: Final = {"day": 1, "week": 7, "month": 30, "year": 365}
QUIET_DAYS: Final = {"quiet30": 30, "quiet90": 90}
ALLOWED: Final[dict[str, tuple[str, ...]]] = {
    "state": (ANY, *(state.value for state in UserState)),
    "verified": (ANY, "yes", "no"),
    "seen": (ANY, "day", "week", "month", *QUIET_DAYS, "never"),
    "joined": (ANY, "day", "week", "month", "year"),
    "sort": ("seen", "joined", "name", "email"),
    "way": ("down", "up"),
}
_COLUMNS: Final = {
    "seen": User.last_seen_at,
    "joined": User.created_at,
    "name": User.sort_name,
    "email": User.email_canonical,
}


@dataclass(frozen=True, slots=True)
class UserFilter:
    """A filter and an order, as they stand in an address; what is empty does not narrow the list."""

    q: str = ""
    state: str = ANY
    verified: str = ANY
    seen: str = ANY
    joined: str = ANY
    sort: str = "seen"
    way: str = "down"

    @classmethod
    def read(cls, values: Mapping[str, str]) -> Self:
        """Return the filter that an address or a form names; raises Invalid for a value that is not offered."""
        given = {each.name: values[each.name] for each in fields(cls) if each.name in values}
        for name, value in given.items():
            if name in ALLOWED and value not in ALLOWED[name]:
                sentence = _("This filter cannot be read. Choose from what is offered.")
                raise Invalid(sentence, field=name, code="filter_invalid")
        if "q" in given:
            given["q"] = " ".join(given["q"].split())[:TEXT_MAX_LENGTH]
        return cls(**given)

    @property
    def values(self) -> dict[str, str]:
        """What stands in the address: all that differs from the whole list."""
        plain = asdict(type(self)())
        return {name: value for name, value in asdict(self).items() if value != plain[name]}

    @property
    def narrows(self) -> bool:
        """Whether anybody may be left out."""
        return bool(self.q or self.state or self.verified or self.seen or self.joined)

    @property
    def order(self) -> Order:
        """How the list is sorted."""
        return Order(_COLUMNS[self.sort], User.id, descending=self.way == "down")

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return what a user has to fulfil now."""
        now = clock.utc_now()
        wanted: list[ColumnElement[bool]] = []
        if self.state:
            wanted.append(User.state == self.state)
        if self.verified:
            wanted.append(
                User.verified_at.is_(None) if self.verified == "no" else User.verified_at.is_not(None)
            )
        if self.seen:
            wanted.append(_seen(self.seen, now))
        if self.joined:
            wanted.append(User.created_at >= now - dt.timedelta(days=DAYS[self.joined]))
        return wanted + [_has_word(word) for word in words_sought(self.q)]


def _seen(value: str, now: dt.datetime) -> ColumnElement[bool]:
    if value == "never":
        return User.last_seen_at == NEVER
    if value in QUIET_DAYS:
        return User.last_seen_at < now - dt.timedelta(days=QUIET_DAYS[value])
    return User.last_seen_at >= now - dt.timedelta(days=DAYS[value])


def _has_word(beginning: str) -> ColumnElement[bool]:
    between = (UserWord.word >= beginning, UserWord.word < beginning + LAST_SIGN)
    return User.id.in_(select(UserWord.user_id).where(*between))
