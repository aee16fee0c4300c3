"""How the pages of users name states, filters and orders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from webapp.accounts.administration.bulk import Act
from webapp.accounts.administration.filters import UserFilter
from webapp.accounts.rules import UserState
from webapp.identity.rules import Outcome

_STATES: Final[dict[str, tuple[LazyString, str]]] = {
    UserState.ACTIVE.value: (_l("Active"), ""),
    UserState.SUSPENDED.value: (_l("Suspended"), "bad"),
    UserState.INVITED.value: (_l("Invited"), "warn"),
    UserState.DELETING.value: (_l("To be deleted"), "bad"),
}


def state_words(state: str, *, verified: bool) -> tuple[str, str]:
    """Return how a state is called, and the kind of badge that shows it; the normal one needs no badge."""
    if state == UserState.ACTIVE.value and not verified:
        return _("Unverified"), "warn"
    words, kind = _STATES.get(state, (state, "warn"))
    return str(words), kind


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


def filter_words(chosen: UserFilter) -> list[str]:
    """Return what a filter lets through, in words; nothing for the whole list."""
    found = [f"“{chosen.q}”"] if chosen.q else []
    for name, offered in filter_choices().items():
        value = getattr(chosen, name)
        found += [words for known, words in offered if value and known == value]
    return found


@dataclass(frozen=True, slots=True)
class ActWords:
    """How an act is named and explained before it is done."""

    verb: str
    question: str
    happens: str
    danger: bool = False


def act_words(act: Act) -> ActWords:
    """Return the words of an act on many users."""
    return {
        Act.END_SESSIONS: ActWords(
            _("End sessions"),
            _("End the sessions of these users?"),
            _("They are signed out on all their devices at once. Passwords and API tokens stay."),
        ),
        Act.START_RESET: ActWords(
            _("Send reset mail"),
            _("Send these users a link to set a new password?"),
            _("Each gets a mail with a link that works once. Until it is used, nothing else changes."),
        ),
        Act.SUSPEND: ActWords(
            _("Suspend"),
            _("Suspend these users?"),
            _(
                "Sessions, answers being watched and API tokens end at once. Everything they wrote is kept, and they can be restored."
            ),
            danger=True,
        ),
        Act.RESTORE: ActWords(
            _("Restore"),
            _("Restore these users?"),
            _("They can sign in again. Sessions and tokens that ended do not come back."),
        ),
    }[act]


def one_act_words(act: str) -> ActWords:
    """Return the words of an act on one user."""
    many = {
        "suspend": Act.SUSPEND,
        "restore": Act.RESTORE,
        "sessions": Act.END_SESSIONS,
        "reset": Act.START_RESET,
    }
    questions = {
        "suspend": _("Suspend this user?"),
        "restore": _("Restore this user?"),
        "sessions": _("End the sessions of this user?"),
        "reset": _("Send this user a link to set a new password?"),
    }
    if act in many:
        plain = act_words(many[act])
        return ActWords(plain.verb, questions[act], plain.happens, plain.danger)
    return {
        "unlock": ActWords(
            _("Unlock"),
            _("Forget the failed sign-ins of this user?"),
            _("The user need not wait any longer to try again. The password stays as it is."),
        ),
        "tokens": ActWords(
            _("End API tokens"),
            _("End all API tokens of this user?"),
            _("Programs that use them are refused at once. The user can make new ones."),
            danger=True,
        ),
        "link": ActWords(
            _("Make a link"),
            _("Make a one-time link for this user?"),
            _(
                "It is shown once, for you to hand over: whoever opens it sets the password. Older links stop working. The audit log tells that you made it."
            ),
        ),
    }[act]


def done_words() -> dict[str, str]:
    """Return what is told once an act on one user is done."""
    return {
        "suspend": _("The user is suspended."),
        "restore": _("The user is restored."),
        "unlock": _("The user can sign in again."),
        "sessions": _("The user is signed out everywhere."),
        "tokens": _("The API tokens have ended."),
        "reset": _("A link is on its way to the user."),
    }


def outcome_words() -> dict[str, str]:
    """Return what came of attempts to sign in."""
    return {
        Outcome.OK.value: _("Signed in"),
        Outcome.WRONG_PASSWORD.value: _("Wrong password"),
        Outcome.WRONG_CODE.value: _("Wrong code"),
        Outcome.NOT_ALLOWED.value: _("Not allowed"),
    }
