"""Setting a password without the old one: with a mailed code, or with a one-time link."""

from __future__ import annotations

import logging

from flask_babel import gettext as _

from webapp.accounts import access, letters
from webapp.accounts.models import User
from webapp.accounts.policy import check_password
from webapp.accounts.registration import find_by_address
from webapp.accounts.rules import UserState
from webapp.audit import service as audit
from webapp.audit.rules import Event
from webapp.config import current_settings
from webapp.database import db, write_transaction
from webapp.errors import NotFound
from webapp.identity import service as identity
from webapp.identity.rules import LinkPurpose, Purpose, Realm
from webapp.lib import clock

log = logging.getLogger(__name__)

_LINKS = (LinkPurpose.RESET_PASSWORD, LinkPurpose.INVITATION)


def ask_reset_code(email: str) -> None:
    """Mail a code for a new password, if there is an account; what is told is the same if there is none.

    Raises TooMany where codes are asked for too often, whether there is an account or not.
    """
    _queue_code(identity.checked_address(email), letters.reader_locale())


def reset_password(*, email: str, code: str, password: str) -> None:
    """Set a new password with a mailed code; ends all access and tells the owner by mail."""
    address = identity.checked_address(email)
    check_password(password, address)
    _store_by_code(address, code, password, identity.hashed_password(password)).require()
    log.info("password reset")


def user_of_link(token: str) -> User:
    """Return the user whose password may be set with the link; raises NotFound where it no longer holds."""
    found = next(filter(None, (identity.links.find(each, token) for each in _LINKS)), None)
    user = None if found is None else _usable(found.subject_id)
    if user is None:
        raise _link_dead()
    return user


def reset_by_link(*, token: str, password: str) -> None:
    """Set a password with a one-time link; ends all access. Raises Invalid, or NotFound where it no longer holds."""
    user = user_of_link(token)
    check_password(password, user.email, user.username)
    if not _store_by_link(token, identity.hashed_password(password)):
        raise _link_dead()


def set_new_password(user: User, password_hash: str, *, by_mail: bool) -> None:
    """Put a new password in the place of a lost one, inside the caller's transaction: all access ends with it."""
    user.password_hash, user.password_changed_at = password_hash, clock.utc_now()
    if by_mail:
        user.verified_at = user.verified_at or clock.utc_now()
    access.end_all(user, actor=user)
    identity.lift_lockouts_of(Realm.USER, user.id)
    letters.queue_notice(user, "password_reset")
    audit.record(Event.USER_PASSWORD_RESET, actor=user, target=user)


@write_transaction
def _queue_code(address: str, locale: str) -> None:
    code = identity.issue_code(Purpose.RESET_PASSWORD, address)
    user = _active(address)
    letters.queue_code(
        user.email if user else address,
        code,
        Purpose.RESET_PASSWORD,
        locale=(user.locale if user else None) or locale,
        withheld=user is None or not current_settings().can_mail,
    )
    after = {"purpose": Purpose.RESET_PASSWORD.value, "address": address}
    audit.record(Event.CODE_SENT, actor=audit.STRANGER, target=user, after=after)


@write_transaction
def _store_by_code(address: str, code: str, password: str, password_hash: str) -> identity.Verdict:
    """Spend a try and, with the right code, set the password; one too close to the user name leaves the code as it was."""
    verdict = identity.consume_code(Purpose.RESET_PASSWORD, address, code)
    user = _active(address)
    if not verdict.right or user is None:
        after = {"purpose": Purpose.RESET_PASSWORD.value, "address": address}
        audit.record(Event.CODE_REFUSED, actor=audit.STRANGER, target=user, after=after)
        return identity.Verdict(right=False, tries_left=verdict.tries_left)
    check_password(password, address, user.username)
    set_new_password(user, password_hash, by_mail=True)
    return verdict


@write_transaction
def _store_by_link(token: str, password_hash: str) -> bool:
    for purpose in _LINKS:
        link = identity.links.use(purpose, token)
        user = None if link is None else _usable(link.subject_id)
        if link is not None and user is not None:
            user.state = UserState.ACTIVE.value
            set_new_password(user, password_hash, by_mail=bool(link.data.get("mailed")))
            return True
    return False


def _usable(user_id: int) -> User | None:
    user = db.session.get(User, user_id)
    usable = {UserState.ACTIVE.value, UserState.INVITED.value}
    return user if user is not None and user.state in usable else None


def _active(address: str) -> User | None:
    user = find_by_address(address)
    return user if user is not None and user.state == UserState.ACTIVE.value else None


def _link_dead() -> NotFound:
    sentence = _("This link was used already or is too old. Ask for a new one.")
    return NotFound(sentence, code="link_dead")
