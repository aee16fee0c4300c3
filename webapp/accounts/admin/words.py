"""How the pages of users name states, filters and orders."""

from __future__ import annotations

from flask_babel import gettext as _

from webapp.accounts.administration.filters import UserFilter
from webapp.accounts.rules import UserState


def state_words(state: str, *, verified: bool) -> tuple[str, str]:
    """Return how a state is called, and the kind of badge that shows it; the normal one needs no badge."""
    named = {
        UserState.ACTIVE.value: (_("Active"), ""),
        UserState.SUSPENDED.value: (_("Suspended"), "bad"),
        UserState.INVITED.value: (_("Invited"), "warn"),
        UserState.DELETING.value: (_("To be deleted"), "bad"),
    }
    if state == UserState.ACTIVE.value and not verified:
        return _("Unverified"), "warn"
    return named.get(state, (state, "warn"))


def filter_choices() -> dict[str, list[tuple[str, str]]]:
    """Return what the filters offer, as (value, label); the first of each narrows nothing."""
    return {
        "state": [
            ("", _("Any state")),
            (UserState.ACTIVE.value, _("Active")),
            (UserState.SUSPENDED.value, _("Suspended")),
            (UserState.INVITED.value, _("Invited")),
            (UserState.DELETING.value, _("To be deleted")),
        ],
        "verified": [("", _("Any address")), ("yes", _("Address verified")), ("no", _("Not verified"))],
        "seen": [
            ("", _("Seen any time")),
            ("day", _("Seen in 24 hours")),
            ("week", _("Seen in 7 days")),
            ("month", _("Seen in 30 days")),
            ("quiet30", _("Not for 30 days")),
            ("quiet90", _("Not for 90 days")),
            ("never", _("Never seen")),
        ],
        "joined": [
            ("", _("Joined any time")),
            ("day", _("Joined in 24 hours")),
            ("week", _("Joined in 7 days")),
            ("month", _("Joined in 30 days")),
            ("year", _("Joined in a year")),
        ],
    }


def order_words(chosen: UserFilter) -> str:
    """Return the order of a list in words."""
    down = chosen.way == "down"
    orders: dict[str, str] = {
        "seen": _("newest activity first") if down else _("longest quiet first"),
        "joined": _("newest accounts first") if down else _("oldest accounts first"),
        "name": _("by name, from the end") if down else _("by name"),
        "email": _("by address, from the end") if down else _("by address"),
    }
    return orders[chosen.sort]
