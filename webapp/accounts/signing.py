"""Signing in and out, and setting a new password with a mailed code."""

from __future__ import annotations

import datetime as dt
import logging

from flask_babel import gettext as _
from sqlalchemy import or_, select, update

from webapp.accounts import letters, names, rules
from webapp.accounts.models import User
from webapp.accounts.policy import check_password
from webapp.accounts.registration import find_by_address
from webapp.accounts.rules import UserState
from webapp.database import db, write_transaction
from webapp.errors import Invalid
from webapp.identity import service as identity
from webapp.identity.rules import Purpose, Realm
from webapp.lib import clock

log = logging.getLogger(__name__)


def load_user(user_id: int) -> User | None:
    """Return the user of a session, None when the account may not be used."""
    user = db.session.get(User, user_id)
    return user if user is not None and user.state == UserState.ACTIVE.value else None


def note_seen(user_id: int) -> None:
    """Note inside the caller's transaction that somebody is active, to some minutes: lists are sorted by it."""
    now = clock.utc_now()
    stale = User.last_seen_at < now - dt.timedelta(seconds=rules.SEEN_SECONDS)
    query = update(User).where(User.id == user_id, stale).values(last_seen_at=now)
    db.session.execute(query, execution_options={"synchronize_session": False})


def log_in(*, login: str, password: str, keep: bool, user_agent: str, address: str) -> User:
    """Begin a session by name or address and password; the refusal is the same whatever was wrong.

    The user returned carries the session's token.
    """
    user = _find(login)
    stored = user.password_hash if user else None
    right = identity.password_matches(password, stored)
    if user is None or stored is None or not right or user.state != UserState.ACTIVE.value:
        raise _refused(address)
    new_hash = identity.hashed_password(password) if identity.needs_new_hash(stored) else None
    token = _begin(user, stored, new_hash, keep=keep, user_agent=user_agent, address=address)
    if token is None:
        raise _refused(address)
    user.session_token = token
    log.info("signed in", extra={"user": user.public_id, "address": address})
    return user


def log_out(session_id: int | None) -> None:
    """End the session; its cookie is worth nothing from then on."""
    if session_id is not None:
        identity.end_session(session_id)
        log.info("signed out")


def ask_reset_code(email: str) -> None:
    """Mail a code for a new password, if there is an account; what is told is the same if there is none.

    Raises TooMany where codes are asked for too often, whether there is an account or not.
    """
    _queue_reset_code(identity.checked_address(email), letters.reader_locale())


def reset_password(*, email: str, code: str, password: str) -> None:
    """Set a new password with a mailed code; ends all sessions and tells the owner by mail."""
    address = identity.checked_address(email)
    check_password(password, address)
    password_hash = identity.hashed_password(password)
    _store_new_password(address, code, password, password_hash).require()
    log.info("password reset")


@write_transaction
def _begin(
    user: User, checked_hash: str, new_hash: str | None, *, keep: bool, user_agent: str, address: str
) -> str | None:
    """Begin a session, unless the password was changed or the account disabled while the password was checked."""
    if user.password_hash != checked_hash or user.state != UserState.ACTIVE.value:
        return None
    user.last_login_at = clock.utc_now()
    if new_hash is not None:
        user.password_hash = new_hash
    return identity.begin_session(Realm.USER, user.id, user_agent=user_agent, address=address, keep=keep)


def _refused(address: str) -> Invalid:
    log.info("sign-in refused", extra={"address": address})
    return Invalid(_("That name and password do not match."), field="password", code="login_refused")


@write_transaction
def _queue_reset_code(address: str, locale: str) -> None:
    code = identity.issue_code(Purpose.RESET_PASSWORD, address)
    user = _active(address)
    letters.queue_code(
        user.email if user else address,
        code,
        Purpose.RESET_PASSWORD,
        locale=(user.locale if user else None) or locale,
        withheld=user is None,
    )


@write_transaction
def _store_new_password(address: str, code: str, password: str, password_hash: str) -> identity.Verdict:
    """Spend a try and, with the right code, set the password; one too close to the user name leaves the code as it was."""
    verdict = identity.consume_code(Purpose.RESET_PASSWORD, address, code)
    user = _active(address)
    if not verdict.right or user is None:
        return identity.Verdict(right=False, tries_left=verdict.tries_left)
    check_password(password, address, user.username)
    user.password_hash, user.password_changed_at = password_hash, clock.utc_now()
    user.verified_at = user.verified_at or clock.utc_now()
    identity.end_all_sessions(Realm.USER, user.id)
    letters.queue_notice(user, "password_reset")
    return verdict


def _active(address: str) -> User | None:
    user = find_by_address(address)
    return user if user is not None and user.state == UserState.ACTIVE.value else None


def _find(login: str) -> User | None:
    """Return the user by name or address; both are looked up, so that the question takes as long for each."""
    address, name = identity.canonical_address(login), names.canonical_username(login)
    return db.session.scalar(
        select(User).where(or_(User.email_canonical == address, User.username_canonical == name)).limit(1)
    )
