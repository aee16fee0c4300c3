"""Signing in, in one step or two, and out."""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import or_, select, update

from webapp.accounts import letters, names, rules
from webapp.accounts.models import User
from webapp.accounts.rules import UserState
from webapp.audit import service as audit
from webapp.audit.rules import Event
from webapp.database import db, write_transaction
from webapp.errors import Invalid
from webapp.identity import service as identity
from webapp.identity.rules import SECOND_STEP_LIFE, LinkPurpose, Outcome, Realm
from webapp.lib import clock

log = logging.getLogger(__name__)

_MAY_SIGN_IN = frozenset({UserState.ACTIVE.value, UserState.DELETING.value})


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session has begun; the user carries its token."""

    user: User
    device_token: str
    keep: bool


@dataclass(frozen=True, slots=True)
class SecondStepNeeded:
    """The password was right; the token goes with the code that is asked for now."""

    token: str


@dataclass(frozen=True, slots=True)
class DeletionPending:
    """All was right, but the account is to be deleted; with the token it can be kept."""

    token: str


SignIn = SignedIn | SecondStepNeeded | DeletionPending


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


def log_in(*, login: str, password: str, keep: bool, client: identity.Client) -> SignIn:
    """Sign in by name or address and password; the refusal is the same whatever was wrong.

    Raises TooMany after too many tries, whether there is such an account or not.
    """
    user = _find(login)
    stored, state = (user.password_hash or None, user.state) if user else (None, "")
    attempt = identity.begin_attempt(Realm.USER, name=login, subject=user, client=client)
    right = identity.password_matches(password, stored)
    if user is None or stored is None or not right or state not in _MAY_SIGN_IN:
        raise _refused(attempt, Outcome.NOT_ALLOWED if right else Outcome.WRONG_PASSWORD)
    new_hash = identity.hashed_password(password) if identity.needs_new_hash(stored) else None
    return _after_password(attempt, user, stored, new_hash, keep=keep) or _raise_refused(attempt)


def log_in_with_code(*, token: str, code: str, client: identity.Client) -> SignIn:
    """Take the second step, with a code of the authenticator app or a recovery code.

    Raises Invalid for a wrong code, and with the code `step_expired` where signing in has to begin again.
    """
    attempt, step = identity.resume_attempt(Realm.USER, token, code, client=client, load=_by_id)
    outcome = _after_code(attempt, attempt.subject, step, token, code)
    if outcome is not None:
        return outcome
    identity.refuse_attempt(attempt, Outcome.WRONG_CODE)
    raise Invalid(_("That code is not right. Enter the one shown now."), field="code", code="code_wrong")


def keep_account(*, token: str, client: identity.Client) -> SignedIn:
    """Take back the wish to be deleted, and sign in; raises Invalid where the token no longer holds."""
    kept = _keep(token, client)
    if kept is None:
        raise Invalid(_("This took too long. Sign in again."), code="step_expired")
    return kept


def deletion_of(token: str) -> User | None:
    """Return the user whose account may be kept with the token."""
    link = identity.links.find(LinkPurpose.KEEP_ACCOUNT, token)
    return _by_id(link.subject_id) if link is not None else None


def begin_first_session(user: User, client: identity.Client) -> SignedIn:
    """Sign in somebody whose account was made a moment ago."""
    return _begin_first(identity.trusted_attempt(Realm.USER, user, client), user)


@write_transaction
def log_out(user: User, session_id: int | None) -> None:
    """End the session; its cookie is worth nothing from then on."""
    if session_id is not None:
        identity.end_session(session_id)
        audit.record(Event.USER_SIGNED_OUT, actor=user)


@write_transaction
def _after_password(
    attempt: identity.Attempt, user: User, checked_hash: str, new_hash: str | None, *, keep: bool
) -> SignIn | None:
    """Go on, unless the password was changed or the account suspended while the password was checked."""
    if user.password_hash != checked_hash or user.state not in _MAY_SIGN_IN:
        return None
    if new_hash is not None:
        user.password_hash = new_hash
    if identity.second_factor_is_on(Realm.USER, user.id):
        return SecondStepNeeded(identity.ask_second_step(attempt, keep=keep, stamp=_stamp(user)))
    return _begin(attempt, user, keep=keep)


@write_transaction
def _after_code(
    attempt: identity.Attempt, user: User, step: identity.SecondStep, token: str, code: str
) -> SignIn | None:
    if user.state not in _MAY_SIGN_IN or step.stamp != _stamp(user):
        return None
    passed = identity.check_second_factor(Realm.USER, user.id, code)
    if passed is None or identity.links.use(LinkPurpose.SECOND_STEP, token) is None:
        return None
    if passed.recovery_left is not None:
        audit.record(Event.USER_RECOVERY_CODE_USED, actor=user, after={"left": passed.recovery_left})
        letters.queue_notice(user, "recovery_code_used")
    return _begin(attempt, user, keep=step.keep)


@write_transaction
def _keep(token: str, client: identity.Client) -> SignedIn | None:
    link = identity.links.use(LinkPurpose.KEEP_ACCOUNT, token)
    user = _by_id(link.subject_id) if link is not None else None
    if link is None or user is None or user.state != UserState.DELETING.value:
        return None
    user.state, user.deletion_due_at = UserState.ACTIVE.value, None
    audit.record(Event.USER_DELETION_TAKEN_BACK, actor=user, target=user)
    letters.queue_notice(user, "deletion_taken_back")
    return _accept(identity.trusted_attempt(Realm.USER, user, client), user, keep=bool(link.data["keep"]))


def _begin(attempt: identity.Attempt, user: User, *, keep: bool) -> SignedIn | DeletionPending:
    if user.state == UserState.DELETING.value:
        token = identity.links.issue(
            LinkPurpose.KEEP_ACCOUNT, Realm.USER, user.id, life=SECOND_STEP_LIFE, data={"keep": keep}
        )
        return DeletionPending(token)
    return _accept(attempt, user, keep=keep)


def _accept(attempt: identity.Attempt, user: User, *, keep: bool) -> SignedIn:
    """Begin the session; tells the owner by mail where the device is new and was not the first one."""
    accepted = identity.accept_attempt(attempt, keep=keep)
    if accepted.new_device and user.last_login_at is not None:
        letters.queue_new_device(user, attempt.client)
    user.last_login_at = clock.utc_now()
    user.session_token = accepted.session_token
    log.info("signed in", extra={"user": user.public_id, "address": attempt.client.address})
    return SignedIn(user, accepted.device_token, keep)


@write_transaction
def _begin_first(attempt: identity.Attempt, user: User) -> SignedIn:
    return _accept(attempt, user, keep=True)


def _raise_refused(attempt: identity.Attempt) -> Any:
    raise _refused(attempt, Outcome.NOT_ALLOWED)


def _refused(attempt: identity.Attempt, outcome: Outcome) -> Invalid:
    identity.refuse_attempt(attempt, outcome)
    log.info("sign-in refused", extra={"address": attempt.client.address})
    return Invalid(_("That name and password do not match."), field="password", code="login_refused")


def _stamp(user: User) -> str:
    """Return what changes with the password, so that the second step ends with it."""
    return hashlib.sha256(user.password_hash.encode()).hexdigest()


def _by_id(user_id: int) -> User | None:
    return db.session.get(User, user_id)


def _find(login: str) -> User | None:
    """Return the user by name or address; both are looked up, so that the question takes as long for each."""
    address, name = identity.canonical_address(login), names.canonical_username(login)
    return db.session.scalar(
        select(User).where(or_(User.email_canonical == address, User.username_canonical == name)).limit(1)
    )
