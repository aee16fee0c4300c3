"""Proving again who one is, before something dangerous is done in a session."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _

from webapp.audit import service as audit
from webapp.audit.rules import Event
from webapp.database import write_transaction
from webapp.errors import Invalid
from webapp.identity import passwords, second_factors, sessions, throttles
from webapp.identity.rules import Realm, ThrottleKind


def confirm(realm: Realm, subject: Any, session_id: int, proof: str) -> str:
    """Note that the person proved who they are, and return the session's new token.

    `proof` is a code where two-step sign-in is on, else the password. Raises Invalid where it is not right, and
    TooMany after too many tries, which are counted for this session alone: a thief of one session keeps nobody out.
    """
    return _accept(_proved(realm, subject, session_id, proof), session_id)


def prove(realm: Realm, subject: Any, session_id: int, proof: str) -> None:
    """Let somebody prove, for the act at hand alone, who they are; raises as `confirm` does."""
    _give_back(_proved(realm, subject, session_id, proof))


def _proved(realm: Realm, subject: Any, session_id: int, proof: str) -> throttles.Reservation:
    key = throttles.Key(realm, ThrottleKind.CONFIRMATION, str(session_id))
    reservation = throttles.reserve(key)
    two_step = second_factors.is_on(realm, subject.id)
    right = (
        _spend(realm, subject, proof) if two_step else passwords.matches(proof, subject.password_hash or None)
    )
    if not right:
        audit.record_alone(Event.CONFIRMATION_REFUSED, actor=subject)
        sentence = (
            _("That code is not right. Enter the one shown now.")
            if two_step
            else _("This is not your password.")
        )
        raise Invalid(sentence, field="proof", code="proof_wrong")
    return reservation


@write_transaction
def _spend(realm: Realm, subject: Any, code: str) -> bool:
    passed = second_factors.check(realm, subject.id, code)
    if passed is not None and passed.recovery_left is not None:
        event = Event.USER_RECOVERY_CODE_USED if realm is Realm.USER else Event.ADMIN_RECOVERY_CODE_USED
        audit.record(event, actor=subject, after={"left": passed.recovery_left})
    return passed is not None


@write_transaction
def _give_back(reservation: throttles.Reservation) -> None:
    throttles.give_back(reservation)


@write_transaction
def _accept(reservation: throttles.Reservation, session_id: int) -> str:
    throttles.give_back(reservation)
    return sessions.reauthenticate(session_id)
