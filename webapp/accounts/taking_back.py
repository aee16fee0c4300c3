"""Taking an account back: a sign-in or a change of address was somebody else's, says whoever reads the owner's mail.

All access ends, the password works no more, and what the intruder set up since then goes. The owner gets a one-time
link to set a new password.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from webapp.accounts import access
from webapp.accounts.models import User
from webapp.accounts.rules import UserState
from webapp.audit import service as audit
from webapp.audit.rules import Event
from webapp.database import db, write_transaction
from webapp.errors import Conflict, NotFound
from webapp.identity import service as identity
from webapp.identity.rules import RESET_LINK_LIFE, LinkPurpose, Realm


def check_disown_link(token: str) -> None:
    """Raise NotFound unless the link from a mail about a new device still holds."""
    _check(LinkPurpose.DISOWN_SIGN_IN, token)


def check_objection_link(token: str) -> None:
    """Raise NotFound unless the link from a mail about a changed address still holds."""
    _check(LinkPurpose.OBJECT_TO_ADDRESS, token)


@write_transaction
def disown(token: str) -> str:
    """End all access after a sign-in that was not the owner's; returns the token of a link to set a password."""
    user, data = _use(LinkPurpose.DISOWN_SIGN_IN, token)
    audit.record(Event.USER_DISOWNED_SIGN_IN, actor=user, target=user)
    return _take_back(user, data)


def object_to_address(token: str) -> str:
    """Undo a change of address that was not the owner's; returns the token of a link to set a password."""
    try:
        return _undo_address(token)
    except IntegrityError:
        sentence = _(
            "The old address belongs to another account by now. Ask the people who run this site for help."
        )
        raise Conflict(sentence, code="address_taken") from None


@write_transaction
def _undo_address(token: str) -> str:
    user, data = _use(LinkPurpose.OBJECT_TO_ADDRESS, token)
    before = user.email
    user.email, user.email_canonical = data["email"], identity.canonical_address(data["email"])
    db.session.flush()
    after = {"email": user.email, "objection": True}
    audit.record(Event.USER_EMAIL_CHANGED, actor=user, target=user, before={"email": before}, after=after)
    return _take_back(user, data)


def _take_back(user: User, data: dict[str, Any]) -> str:
    """End what an intruder could use, inside the caller's transaction."""
    since = dt.datetime.fromisoformat(data["at"])
    user.password_hash, user.pending_email = "", None
    if user.state == UserState.DELETING.value:
        user.state, user.deletion_due_at = UserState.ACTIVE.value, None
        audit.record(Event.USER_DELETION_TAKEN_BACK, actor=user, target=user)
    if identity.turn_totp_off_since(Realm.USER, user.id, since):
        audit.record(Event.USER_SECOND_FACTOR_OFF, actor=user, target=user, after={"reason": "taken back"})
    access.end_all(user, actor=user)
    identity.forget_devices(Realm.USER, user.id)
    data = {"mailed": True}
    return identity.links.issue(
        LinkPurpose.RESET_PASSWORD, Realm.USER, user.id, life=RESET_LINK_LIFE, data=data
    )


def _check(purpose: LinkPurpose, token: str) -> None:
    link = identity.links.find(purpose, token)
    if link is None or _usable(link.subject_id) is None:
        raise _dead()


def _use(purpose: LinkPurpose, token: str) -> tuple[User, dict[str, Any]]:
    link = identity.links.use(purpose, token)
    user = None if link is None else _usable(link.subject_id)
    if link is None or user is None:
        raise _dead()
    return user, link.data


def _usable(user_id: int) -> User | None:
    usable = [UserState.ACTIVE.value, UserState.DELETING.value]
    return db.session.scalar(select(User).where(User.id == user_id, User.state.in_(usable)))


def _dead() -> NotFound:
    sentence = _("This link was used already or is too old. If you still have doubts, set a new password.")
    return NotFound(sentence, code="link_dead")
